import { beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { newWebhookKey } from '@switchyard/webhooks';
import type { Agent, Webhook } from '../harness/agents-api.js';
import { ask, inParallel } from '../harness/http.js';
import type { AgentsUnderTest } from './agents-under-test.js';
import { deliver, type Sent } from './deliveries.js';

const tenMinutes = 600_000;

/** Deliveries of a vendor that knows an address and a secret, and of others who do not. */
export function takesDeliveries({ switchyard, agents, script }: AgentsUnderTest): void {
  describe('a webhook behind the gateway', () => {
    let agent: Agent;
    let webhook: Webhook;
    const send = (sent?: Sent) => deliver(switchyard(), webhook, sent);
    const runsOf = ({ id }: Webhook) => agents().runs({ webhook_id: id });

    beforeAll(async () => {
      script([{ times: 'any', answer: { text: 'Sorted.' } }]);
      agent = await agents().make('sorting', {});
      webhook = await agents().webhook(agent, { body_limit_bytes: 1_000 });
    });

    it('shows its secret once, and begins a run for a delivery that is signed by it', async () => {
      expect(webhook.secret).toMatch(/^whsec_/);
      const path = `/api/agents/${agent.id}/webhooks/${webhook.id}`;
      expect(await agents().admin.must('GET', path)).toMatchObject({ secret: '[stored]' });

      const { status, body } = await send({ body: '{"ticket":7}' });
      expect([status, body.duplicate]).toEqual([202, false]);
      const run = await agents().untilEnded(body.run_id);
      expect(run).toMatchObject({ state: 'completed', kind: 'webhook', output: { text: 'Sorted.' } });
      expect(JSON.stringify(agents().model.requests().at(-1)?.messages)).toContain('ticket');
    });

    it('begins one run for a delivery that comes again, also for ten at once', async () => {
      const before = (await runsOf(webhook)).length;
      const again = { id: 'msg_again', body: '{"n":1}' };
      const answers = await inParallel(Array(10).fill(again), 10, send);
      answers.push(await send(again));
      expect(new Set(answers.map(({ body }) => body.run_id)).size).toBe(1);
      expect(answers.map(({ status }) => status).sort()).toEqual([...Array(10).fill(200), 202]);
      expect(await runsOf(webhook)).toHaveLength(before + 1);
    });

    it('begins no run for what is forged, late, unsigned, changed, too large, or for nobody', async () => {
      const before = (await runsOf(webhook)).length;
      const unsigned = { 'webhook-id': '', 'webhook-timestamp': '', 'webhook-signature': '' };
      const url = new URL(webhook.url_path, switchyard().origin());
      const nowhere = { ...webhook, url_path: `/hooks/${agent.id}` };
      const answers = {
        forged: await send({ secrets: [newWebhookKey()] }),
        late: await send({ sentAt: Date.now() - tenMinutes }),
        'ahead of time': await send({ sentAt: Date.now() + tenMinutes }),
        unsigned: await ask<{ code?: string }>(url, { body: '{}', headers: unsigned }),
        oversized: await send({ body: JSON.stringify({ text: 'x'.repeat(1_000) }) }),
        nobody: await deliver(switchyard(), nowhere),
      };
      expect(Object.entries(answers).map(([what, { status, body }]) => [what, status, body.code])).toEqual([
        ['forged', 401, 'unauthenticated'],
        ['late', 401, 'unauthenticated'],
        ['ahead of time', 401, 'unauthenticated'],
        ['unsigned', 401, 'unauthenticated'],
        ['oversized', 413, 'payload_too_large'],
        ['nobody', 404, 'not_found'],
      ]);
      expect(await runsOf(webhook)).toHaveLength(before);
      await eventually(async () => {
        const { items } = await agents().admin.must<{ items: { details: object }[] }>(
          'GET',
          '/api/audit?action=webhook_refused&limit=200',
        );
        const told = JSON.stringify(
          items.filter(({ details }) => JSON.stringify(details).includes(webhook.id)),
        );
        for (const why of ['signature_wrong', 'timestamp_too_old', 'signature_missing'])
          expect(told).toContain(why);
        return true;
      });
    });

    it('believes both secrets while one is rotated, and the new one alone after', async () => {
      const turning = await agents().webhook(agent);
      const path = `/api/agents/${agent.id}/webhooks/${turning.id}`;
      const by = async (secret: string) =>
        (await deliver(switchyard(), turning, { secrets: [secret] })).status;
      expect(await by(turning.secret)).toBe(202);
      const { secret } = await agents().admin.must<Webhook>('POST', `${path}/rotate-secret`, {});
      expect(secret).not.toBe(turning.secret);
      await eventually(async () => (await by(secret)) === 202);
      expect(await by(turning.secret)).toBe(202);
      await agents().admin.must('DELETE', `${path}/previous-secret`);
      await eventually(async () => (await by(turning.secret)) === 401);
      expect(await by(secret)).toBe(202);
    });

    it('runs every one of 60 deliveries at once', async () => {
      const busy = await agents().webhook(agent);
      const all = Array.from({ length: 60 }, (_, n) => ({ body: JSON.stringify({ n }) }));
      const answers = await inParallel(all, 50, (sent) => deliver(switchyard(), busy, sent));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
      const runs = await eventually(
        async () => {
          const now = await runsOf(busy);
          expect(now.filter(({ state }) => state !== 'completed')).toEqual([]);
          return now;
        },
        { intervalMs: 200 },
      );
      expect(runs.map(({ id }) => id).sort()).toEqual(answers.map(({ body }) => body.run_id).sort());
    });
  });
}
