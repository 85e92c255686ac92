import { describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { BffApi } from '../bff/bff-api.js';
import { undoAfterAll } from '../harness/connected-fixture.js';
import type { People } from '../harness/people.js';
import type { Switchyard } from '../harness/switchyard.js';
import { protectIntegration } from '../identity/protected-integration.js';
import { ApprovalsApi, asksFirst } from './approvals-api.js';

const tool = 'guarded_whoami';

/** One person asks, another decides, and it runs as the one who asked. */
export function waitsForAPerson(switchyard: () => Switchyard, people: () => People): void {
  describe('a call that another person has to approve', () => {
    const undo = undoAfterAll();
    const approvals = (credential: string) => new ApprovalsApi(switchyard().origin(), credential);
    const as = async (user: string) => approvals(await people().tokenOf(user));

    it('runs under the identity that asked, once, and answers the call made again', async () => {
      const { integration, upstream } = await protectIntegration(switchyard(), 'guarded', undo, {
        fields: () => asksFirst({ self_approval: false }),
      });
      const bob = new BffApi(switchyard().origin(), await people().tokenOf('bob'));
      await bob.tools();
      await people().connect('bob', integration.id);
      await eventually(async () => (await bob.names()).includes(tool), { timeoutMs: 15_000 });
      const asked = await bob.call({ name: tool });
      const { details } = asked.body.error as { details: Record<string, string> };
      const id = details['approval_id'] ?? '';
      expect([asked.status, asked.body]).toMatchObject([
        ...[200, { status: 'failed', call_id: id, error: { code: 'approval_required' } }],
      ]);
      expect(details['approve_url']).toBe(`${switchyard().origin()}/api/approvals/${id}/approve`);

      const seen = await (await as('bob')).read(id);
      expect(seen.body).toMatchObject({ state: 'pending', arguments: {}, may_decide: false });
      expect(seen.body.asked_by.user_id).toBe(await people().idOf('bob'));
      expect((await (await as('bob')).approve(id)).status).toBe(403);
      expect((await (await as('carol')).approve(id)).status).toBe(404);
      const elsewhere = await switchyard().admin.must<{ admin_key: string }>('POST', '/api/organizations', {
        ...{ slug: 'not-theirs', name: 'Not theirs' },
      });
      for (const answer of [
        await approvals(elsewhere.admin_key).read(id),
        await approvals(elsewhere.admin_key).approve(id),
      ])
        expect(answer.status).toBe(404);
      expect(upstream.seen.filter((call) => call.tool === 'whoami')).toEqual([]);

      const alice = await as('alice');
      const { arguments_sha256 } = (await alice.read(id)).body;
      expect((await alice.approve(id, { arguments_sha256 })).body).toMatchObject({ state: 'approved' });
      expect((await alice.approve(id)).status).toBe(409);
      expect((await bob.call({ name: tool })).body).toMatchObject({
        ...{ status: 'completed', call_id: id, result: { structuredContent: { sub: 'bob' } } },
      });
      expect(upstream.seen.filter((call) => call.tool === 'whoami')).toHaveLength(1);
      expect((await bob.record(id)).body.auth_path).toBe('user_token');
      expect((await bob.call({ name: tool })).body).toMatchObject({ error: { code: 'approval_required' } });
    });
  });
}
