import { beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { type ConnectedFixture, connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import { sdkNames, sdks } from '../harness/mcp-peers.js';
import { bearer } from '../harness/mcp-rpc.js';
import type { Switchyard } from '../harness/switchyard.js';

/** `hang` is safe here and never answers; `slow` is not safe. */
const fields = { tool_overrides: { hang: { safe: true } } };

export function cancelsCalls(switchyard: () => Switchyard): void {
  describe('a cancelled call', () => {
    const undo = undoAfterAll();
    let fixture: ConnectedFixture;
    beforeAll(async () => {
      fixture = await connectFixture(switchyard(), 'cancelling', undo, { fields });
    });

    const ran = (tool: string, id: string): number =>
      fixture.upstream.callsOf(tool).filter((call) => call.arguments['id'] === id).length;

    it('that waits never reaches the tool', async () => {
      const single = await connectFixture(switchyard(), 'waiting', undo, {
        fields: { ...fields, max_concurrency: 1 },
      });
      const first = await single.calls.accept('waiting_hang', { id: 'first' });
      await eventually(() => single.upstream.callsOf('hang').length === 1);
      const second = await single.calls.accept('waiting_count-side-effect', { id: 'second' });
      expect(await single.calls.cancel(second)).toMatchObject({ status: 200, body: { status: 'cancelled' } });
      expect(await single.calls.cancel(first)).toMatchObject({ status: 200 });
      expect(await single.calls.untilEnded(first)).toMatchObject({ status: 'cancelled' });
      expect(await single.calls.untilEnded(second)).toMatchObject({
        status: 'cancelled',
        error: { code: 'cancelled' },
      });
      expect(single.upstream.callsOf('count-side-effect')).toEqual([]);
    });

    it('that runs and is safe is ended at the upstream', async () => {
      const callId = await fixture.calls.accept('cancelling_hang', { id: 'safe' });
      await eventually(() => ran('hang', 'safe') === 1);
      expect((await fixture.calls.cancel(callId)).status).toBe(200);
      expect(await fixture.calls.untilEnded(callId)).toMatchObject({ status: 'cancelled' });
      await eventually(() => ran('hang-cancelled', 'safe') === 1);
    });

    it('that runs and is not safe goes on', async () => {
      const callId = await fixture.calls.accept('cancelling_count-side-effect', { id: 'unsafe', ms: 1_000 });
      await eventually(() => ran('count-side-effect', 'unsafe') === 1);
      expect(await fixture.calls.cancel(callId)).toMatchObject({ status: 409, body: { code: 'conflict' } });
      expect(await fixture.calls.untilEnded(callId)).toMatchObject({ status: 'completed' });
    });

    it('that has ended stays as it ended', async () => {
      const callId = await fixture.calls.accept('cancelling_echo', { message: 'x' });
      await fixture.calls.untilEnded(callId);
      expect(await fixture.calls.cancel(callId)).toMatchObject({ status: 409, body: { code: 'conflict' } });
    });

    it.each(sdkNames)('by an %s client is ended at the upstream', async (sdk) => {
      const peer = await sdks[sdk].overHttp(switchyard().mcpUrl, { headers: bearer(fixture.key) });
      undo(() => peer.close());
      const wish = new AbortController();
      const answer = peer.callTool('cancelling_hang', { id: sdk }, { signal: wish.signal });
      await eventually(() => ran('hang', sdk) === 1);
      wish.abort();
      await expect(answer).rejects.toThrow();
      await eventually(() => ran('hang-cancelled', sdk) === 1);
    });
  });
}
