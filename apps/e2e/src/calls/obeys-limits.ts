import { describe, expect, it } from '@jest/globals';
import type { RecordedCall } from '@switchyard/testing';
import { connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import { callTool, textOf } from '../harness/mcp-rpc.js';
import type { Switchyard } from '../harness/switchyard.js';

/** A call over a limit waits; none fails. */
export function obeysLimits(switchyard: () => Switchyard): void {
  describe('an integration with a limit', () => {
    const undo = undoAfterAll();

    /** Makes so many calls at once and gives what they answered. */
    const callAtOnce = async (slug: string, key: string, count: number): Promise<(string | undefined)[]> => {
      const one = async (id: number) =>
        textOf(
          (
            await callTool(switchyard().mcpUrl, key, {
              name: `${slug}_count-side-effect`,
              arguments: { id: String(id), ms: 100 },
            })
          ).body.result,
        );
      return Promise.all(Array.from({ length: count }, (_, id) => one(id)));
    };

    it('of one call at a time runs ten calls one after the other', async () => {
      const slug = 'single';
      const { upstream, key } = await connectFixture(switchyard(), slug, undo, {
        fields: { max_concurrency: 1 },
      });
      expect(await callAtOnce(slug, key, 10)).toEqual(Array.from({ length: 10 }, (_, id) => `Done: ${id}`));
      expect(Math.min(...pausesBetween(upstream.callsOf('count-side-effect')))).toBeGreaterThanOrEqual(95);
    });

    it('of three calls in a second runs nine calls in two seconds or more', async () => {
      const slug = 'rated';
      const fields = { rate_limit: { limit: 3, interval_ms: 1_000 } };
      const { upstream, key } = await connectFixture(switchyard(), slug, undo, { fields });
      expect(await callAtOnce(slug, key, 9)).toEqual(Array.from({ length: 9 }, (_, id) => `Done: ${id}`));
      const calls = upstream.callsOf('count-side-effect').map(({ at }) => at);
      expect(calls).toHaveLength(9);
      expect(Math.max(...calls) - Math.min(...calls)).toBeGreaterThanOrEqual(1_800);
    });
  });
}

function pausesBetween(calls: RecordedCall[]): number[] {
  return calls.slice(1).map(({ at }, index) => at - (calls[index]?.at ?? 0));
}
