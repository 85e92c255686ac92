import { describe, expect, it } from '@jest/globals';
import { connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import { inParallel } from '../harness/http.js';
import { callTool, textOf } from '../harness/mcp-rpc.js';
import { sumOfMetric } from '../harness/metrics.js';
import type { SystemUnderTest } from '../harness/on-both-queues.js';

const flood = 20_000;
const atLeastWaiting = 19_000;

/** Nobody who waits for an answer stands behind work that nobody waits for. */
export function keepsLanesApart({ switchyard }: SystemUnderTest): void {
  describe('a flood of background calls', () => {
    const undo = undoAfterAll();

    it('does not hold up an interactive call', async () => {
      const fields = { tool_overrides: { hang: { safe: true } } };
      const { upstream, key, calls } = await connectFixture(switchyard(), 'flooded', undo, { fields });
      const startedAt = Date.now();
      await inParallel(Array.from({ length: flood }), 64, () => calls.accept('flooded_hang', {}));
      const acceptedMs = Date.now() - startedAt;

      const askedAt = Date.now();
      const answer = await callTool(switchyard().mcpUrl, key, {
        name: 'flooded_echo',
        arguments: { message: 'first' },
      });
      const answeredMs = Date.now() - askedAt;

      expect(textOf(answer.body.result)).toBe('Echo: first');
      expect(answeredMs).toBeLessThan(5_000);
      expect(flood - upstream.callsOf('hang').length).toBeGreaterThanOrEqual(atLeastWaiting);
      const labels = { queue: 'tool-calls-background', state: 'waiting' };
      expect(
        await sumOfMetric(switchyard().dev.ops_urls.dispatch, 'queue_jobs', labels),
      ).toBeGreaterThanOrEqual(atLeastWaiting);
      process.stdout.write(
        `${flood} calls accepted in ${acceptedMs} ms, the interactive one answered in ${answeredMs} ms\n`,
      );
    });
  });
}
