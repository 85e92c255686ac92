import { describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { type ConnectedFixture, connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import { connectedTo } from '../harness/connected-process.js';
import { callTool, errorOf, textOf } from '../harness/mcp-rpc.js';
import type { Switchyard } from '../harness/switchyard.js';

/** What becomes of a call whose worker is killed while the upstream runs it. */
export function survivesWorkerCrash(switchyard: () => Switchyard): void {
  describe('a dispatch worker killed in the middle of a call', () => {
    const undo = undoAfterAll();

    it('ends an unsafe call as outcome_unknown, for the caller and in the ledger; the tool ran once', async () => {
      const fixture = await connectFixture(switchyard(), 'crash-unsafe', undo);
      const answering = callTool(switchyard().mcpUrl, fixture.key, { name: 'crash-unsafe_hang' });
      await killItsWorker(switchyard(), fixture, 'hang');

      const error = errorOf((await answering).body.result);
      expect(error).toMatchObject({ code: 'outcome_unknown', call_id: expect.any(String) });
      const recorded = await fixture.calls.untilEnded(error?.call_id ?? '');
      expect(recorded).toMatchObject({ status: 'outcome_unknown', error: { code: 'outcome_unknown' } });
      expect(fixture.upstream.callsOf('hang')).toHaveLength(1);
    });

    it('ends an unsafe call of the async API as outcome_unknown', async () => {
      const fixture = await connectFixture(switchyard(), 'crash-async', undo);
      const callId = await fixture.calls.accept('crash-async_hang', {});
      await killItsWorker(switchyard(), fixture, 'hang');

      expect(await fixture.calls.untilEnded(callId)).toMatchObject({ status: 'outcome_unknown' });
      expect(fixture.upstream.callsOf('hang')).toHaveLength(1);
    });

    it('costs the caller of a safe tool time alone', async () => {
      const fixture = await connectFixture(switchyard(), 'crash-safe', undo);
      const answering = callTool(switchyard().mcpUrl, fixture.key, {
        name: 'crash-safe_safe-read',
        arguments: { id: 'seven', ms: 1_500 },
      });
      await killItsWorker(switchyard(), fixture, 'safe-read');

      expect(textOf((await answering).body.result)).toBe('Read: seven');
      expect(fixture.upstream.callsOf('safe-read')).toHaveLength(2);
    });
  });
}

/** Kills the one worker that is connected to the fixture, once the fixture runs the tool; gives its successors' ids. */
async function killItsWorker(
  switchyard: Switchyard,
  { upstream }: ConnectedFixture,
  tool: string,
): Promise<void> {
  await eventually(() => upstream.callsOf(tool).length === 1);
  const workers = switchyard.dev.pids.dispatch;
  const [running, ...others] = connectedTo(upstream.port, workers);
  expect(running).toBeDefined();
  expect(others).toEqual([]);
  switchyard.kill(running as number);
  await switchyard.untilReplaced('dispatch', [running as number]);
}
