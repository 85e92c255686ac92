import { describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import { inParallel } from '../harness/http.js';
import type { SystemUnderTest } from '../harness/on-both-queues.js';

const count = 1_000;
const tool = 'durable_count-side-effect';

/** What was accepted comes to an end, whatever dies. */
export function keepsAcceptedCalls({ switchyard, crashQueueStore }: SystemUnderTest): void {
  describe('accepted calls of an unsafe tool', () => {
    const undo = undoAfterAll();

    it('all end, and none ran twice, though every process and the queue’s store are killed', async () => {
      const { upstream, calls } = await connectFixture(switchyard(), 'durable', undo);
      const accept = (id: number) => calls.accept(tool, { id: String(id), ms: 200 });
      await inParallel(
        Array.from({ length: count }, (_, id) => id),
        48,
        accept,
      );

      await switchyard().killEverything();
      await crashQueueStore();
      const ranBefore = upstream.callsOf('count-side-effect').length;
      expect(ranBefore).toBeLessThan(count * 0.9);
      await switchyard().startAgain();
      await eventually(() => calls.areAllEnded(), { timeoutMs: 120_000, intervalMs: 500 });

      const ids = upstream.callsOf('count-side-effect').map((call) => String(call.arguments['id']));
      expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
      const { completed = 0, outcome_unknown: unknown = 0, ...others } = await calls.countByStatus();
      expect(others).toEqual({});
      expect(completed + unknown).toBe(count);
      expect(completed).toBeLessThanOrEqual(ids.length);
      expect(unknown).toBeLessThanOrEqual(50);
    });
  });
}
