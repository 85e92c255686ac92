import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Agent } from '../harness/agents-api.js';
import type { ChatUser } from '../harness/chat-user.js';
import { type ConnectedFixture, connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import { inParallel } from '../harness/http.js';
import type { AgentsUnderTest } from './agents-under-test.js';
import { approve, beginWaiting, deny, effectTurns, lookAt } from './waiting-calls.js';

const tool = 'count-side-effect';
const atOnce = 8;

/** Calls of runs that wait for a person, and people who decide about them over HTTP. */
export function decidesOnce({ switchyard, people, agents, script, chatAs }: AgentsUnderTest): void {
  describe('calls that wait for approval', () => {
    const undo = undoAfterAll();
    let gated: ConnectedFixture;
    let careful: Agent;
    let bob: ChatUser;
    let dora: ChatUser;
    const ran = () => gated.upstream.callsOf(tool).map((call) => String(call.arguments['id']));
    const agent = (slug: string, fields: object = {}) =>
      agents().make(
        slug,
        { gated: [tool] },
        {
          ...{ default_policy: 'require_approval', approval: { approver_roles: ['approver'] } },
          ...fields,
        },
      );

    beforeAll(async () => {
      script(effectTurns(`gated_${tool}`));
      gated = await connectFixture(switchyard(), 'gated', undo);
      careful = await agent('careful');
      [bob, dora] = await Promise.all([chatAs('bob'), chatAs('dora')]);
    });

    it('50 of them, decided by two people at once, are decided once each, and run once if approved', async () => {
      const alice = await chatAs('alice');
      const effects = Array.from({ length: 50 }, (_, at) => `of-50-${at}`);
      const waiting = await inParallel(effects, atOnce, (effect) => beginWaiting(bob, careful.slug, effect));
      expect(ran()).toEqual([]);

      const [approvals, denials] = await Promise.all([
        inParallel(waiting, atOnce, (call) => approve(alice, call)),
        inParallel([...waiting].reverse(), atOnce, (call) => deny(dora, call)).then((all) => all.reverse()),
      ]);
      const words = waiting.map((_, at) => [approvals[at]?.status, denials[at]?.status]);
      const isOne = ([a, b]: (number | undefined)[]) => (a === 200 && b === 409) || (a === 409 && b === 200);
      expect(words.filter((word) => !isOne(word))).toEqual([]);
      const approved = waiting.filter((_, at) => approvals[at]?.status === 200);
      expect(approved.length).toBeGreaterThan(0);
      expect(approved.length).toBeLessThan(waiting.length);

      const runs = await inParallel(waiting, atOnce, ({ runId }) => agents().untilEnded(runId));
      expect(ran().sort()).toEqual(approved.map(({ effect }) => effect).sort());
      const deciders = { approved: await people().idOf('alice'), denied: await people().idOf('dora') };
      for (const [at, run] of runs.entries()) {
        const state = approvals[at]?.status === 200 ? 'approved' : 'denied';
        expect(run).toMatchObject({
          state: 'completed',
          calls: [{ status: state === 'approved' ? 'completed' : 'denied', attempt: 0 }],
          approvals: [{ state, decided_by: { kind: 'user', user_id: deciders[state] } }],
        });
      }
    });

    it('are not decided by whoever may not, nor with other arguments, nor twice', async () => {
      const strict = await agent('strict', {
        approval: { approver_roles: ['approver'], self_approval: false },
      });
      const call = await beginWaiting(bob, strict.slug, 'refused-first');
      const carol = await chatAs('carol');
      const neighbour = await switchyard().admin.makeOrganization('decides-elsewhere');
      const attacks = [
        [await approve(bob, call), 403, 'forbidden'],
        [await approve(carol, call), 404, 'not_found'],
        [await deny(carol, call), 404, 'not_found'],
        [await approve(neighbour, call), 404, 'not_found'],
        [await deny(neighbour, call), 404, 'not_found'],
        [await approve(dora, call, { arguments_sha256: '0'.repeat(64) }), 409, 'conflict'],
      ] as const;
      expect(attacks.map(([{ status, body }]) => [status, body.code])).toEqual(
        attacks.map(([, status, code]) => [status, code]),
      );
      const { body: shown } = await lookAt(dora, call);
      expect(shown).toMatchObject({ state: 'pending', may_decide: true, arguments: { id: 'refused-first' } });
      expect(ran()).not.toContain('refused-first');

      const { arguments_sha256 } = shown;
      expect(await approve(dora, call, { arguments_sha256 })).toMatchObject({ status: 200 });
      expect(await approve(dora, call)).toMatchObject({ status: 409, body: { code: 'conflict' } });
      expect(await deny(dora, call)).toMatchObject({ status: 409, body: { code: 'conflict' } });
      expect(await agents().untilEnded(call.runId)).toMatchObject({ calls: [{ status: 'completed' }] });
      expect(ran().filter((id) => id === 'refused-first')).toHaveLength(1);
    });

    it('are not approved any more once their policy has changed, and the model is told so', async () => {
      const changing = await agent('changing');
      const call = await beginWaiting(bob, changing.slug, 'stale');
      await agents().admin.must('PATCH', `/api/agents/${changing.id}`, {
        tool_policies: { [`gated_${tool}`]: 'auto_execute' },
      });
      expect(await approve(dora, call)).toMatchObject({ status: 409, body: { code: 'approval_stale' } });
      expect(await approve(dora, call)).toMatchObject({ status: 409, body: { code: 'conflict' } });
      const run = await agents().untilEnded(call.runId);
      expect(run).toMatchObject({
        state: 'completed',
        calls: [{ status: 'denied', outcome: { error: { code: 'approval_stale' } } }],
        output: { text: expect.stringContaining('approval_stale') },
      });
      expect(ran()).not.toContain('stale');
    });
  });
}
