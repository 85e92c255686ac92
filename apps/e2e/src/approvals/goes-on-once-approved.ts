import { describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import type { Switchyard } from '../harness/switchyard.js';
import { ApprovalsApi, asksFirst } from './approvals-api.js';

type Event = { readonly action: string; readonly result: string; readonly details: Record<string, unknown> };

/** The async API has nobody who would call again: the call goes on by itself, though a worker dies. */
export function goesOnOnceApproved(switchyard: () => Switchyard): void {
  describe('an accepted call that has to be approved', () => {
    const undo = undoAfterAll();
    const tool = 'careful_count-side-effect';

    it('goes on by itself, over the death of the workers, and is audited', async () => {
      const fields = asksFirst();
      const { calls, upstream, admin } = await connectFixture(switchyard(), 'careful', undo, { fields });
      const approvals = new ApprovalsApi(switchyard().origin(), switchyard().dev.admin_key);
      const { status, body } = await calls.send(tool, { id: 'audited' });
      expect([status, body]).toMatchObject([
        202,
        { status: 'awaiting_approval', approval_id: body.call_id, next: expect.any(String) },
      ]);
      const denied = (await calls.send(tool, { id: 'denied' })).body.call_id;
      const pids = switchyard().dev.pids.dispatch;
      for (const pid of pids) switchyard().kill(pid);
      await switchyard().untilReplaced('dispatch', pids);
      // The answer to a decision may be lost while the workers come back.
      const isNow = async (id: string, state: string) => (await approvals.read(id)).body.state === state;
      await eventually(async () => {
        await approvals.approve(body.call_id);
        return isNow(body.call_id, 'approved');
      });
      await eventually(async () => {
        await approvals.deny(denied, 'Once is enough.');
        return isNow(denied, 'denied');
      });
      expect(await calls.untilEnded(body.call_id)).toMatchObject({ status: 'completed' });
      expect(await calls.untilEnded(denied)).toMatchObject({
        ...{ status: 'denied', error: { code: 'approval_denied' } },
      });
      expect(upstream.callsOf('count-side-effect').map((call) => call.arguments)).toEqual([
        { id: 'audited' },
      ]);
      const events = await eventually(async () => {
        const { items } = await admin.must<{ items: Event[] }>('GET', `/api/audit?call_id=${denied}`);
        return items.length >= 2 && items;
      });
      expect(events.map(({ action }) => action).sort()).toEqual(['approval_denied', 'approval_requested']);
      expect(JSON.stringify(events)).toContain('Once is enough.');
    });
  });
}
