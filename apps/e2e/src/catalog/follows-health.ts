import { describe, expect, it } from '@jest/globals';
import { eventually, type FixtureUpstream, startFixtureUpstream } from '@switchyard/testing';
import { connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import { bearer, callTool, errorOf, textOf, toolNames } from '../harness/mcp-rpc.js';
import type { Switchyard } from '../harness/switchyard.js';

/** Failed checks lead from connected over unstable to disconnected, and back. */
export function followsHealth(switchyard: () => Switchyard): void {
  describe('of upstreams that go away', () => {
    const undo = undoAfterAll();

    const startAgain = async ({ port }: FixtureUpstream): Promise<void> => {
      const again = await startFixtureUpstream({ port });
      undo(() => again.close());
    };

    it('disconnects them, withdraws their tools, and connects them again by itself', async () => {
      const { admin, mcpUrl } = switchyard();
      const { upstream, integration, key } = await connectFixture(switchyard(), 'absent', undo);
      const seen = new Set<string>();
      await upstream.close();

      const gone = await eventually(
        async () => {
          const now = await admin.integration(integration.id);
          seen.add(now.state);
          return now.state === 'disconnected' && now;
        },
        { timeoutMs: 30_000 },
      );
      expect([...seen]).toContain('unstable');
      expect(gone.last_failure).toMatchObject({ code: 'upstream_unreachable' });
      await eventually(async () => (await toolNames(mcpUrl, bearer(key))).length === 0);
      const call = { name: 'absent_echo', arguments: { message: 'x' } };
      expect(errorOf((await callTool(mcpUrl, key, call)).body.result)).toMatchObject({
        code: 'integration_unavailable',
      });

      await startAgain(upstream);
      await admin.untilState(integration.id, 'connected', 30_000);
      expect(textOf((await callTool(mcpUrl, key, call)).body.result)).toBe('Echo: x');
    });

    it('leaves those with auto_reconnect off to an admin', async () => {
      const { admin } = switchyard();
      const manual = await connectFixture(switchyard(), 'manual', undo, {
        fields: { auto_reconnect: false },
      });
      const automatic = await connectFixture(switchyard(), 'automatic', undo);
      for (const { upstream, integration } of [manual, automatic]) {
        await upstream.close();
        await admin.untilState(integration.id, 'disconnected', 30_000);
        await startAgain(upstream);
      }
      await admin.untilState(automatic.integration.id, 'connected', 30_000);

      const reconnected = await admin.must('POST', `/api/mcp/client/${manual.integration.id}/reconnect`);
      expect(reconnected).toMatchObject({ slug: 'manual', state: 'disconnected' });
      await admin.untilState(manual.integration.id, 'connected');
    });
  });
}
