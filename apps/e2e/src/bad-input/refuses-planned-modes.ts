import { describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import { callTool, errorOf } from '../harness/mcp-rpc.js';
import { ToolCallsApi } from '../harness/tool-calls-api.js';
import type { Switchyard } from '../harness/switchyard.js';

const modes = ['client_credentials', 'authorization_code', 'token_exchange'] as const;

/** Auth modes that can be registered, and do not work yet. */
export function refusesPlannedModes(switchyard: () => Switchyard): void {
  describe.each(modes)('an integration with auth_mode %s', (mode) => {
    const undo = undoAfterAll();
    const slug = mode.replaceAll('_', '-');
    const refused = { code: 'auth_mode_unavailable', message: expect.stringContaining('not available yet') };

    it('is not connected; it says why, and a call through it does', async () => {
      const { admin, mcpUrl, origin } = switchyard();
      const { id } = await admin.register(slug, 'http://127.0.0.1:9/mcp', { auth_mode: mode });
      undo(() => admin.send('DELETE', `/api/integrations/${id}`));
      const { key } = await admin.makeKey({ [slug]: ['*'] });

      await eventually(async () => (await admin.integration(id)).last_failure !== null);
      expect(await admin.integration(id)).toMatchObject({
        state: 'disconnected',
        last_failure: { code: 'auth_mode_unavailable' },
      });
      const { body } = await callTool(mcpUrl, key, { name: `${slug}_echo` });
      expect(errorOf(body.result)).toMatchObject(refused);
      expect(await new ToolCallsApi(origin, key).send(`${slug}_echo`, {})).toMatchObject({
        status: 501,
        body: { code: 'auth_mode_unavailable' },
      });
    });

    it('that worked before is called no more once it has that mode', async () => {
      const { mcpUrl } = switchyard();
      const { integration, upstream, key, admin } = await connectFixture(
        switchyard(),
        `${slug}-before`,
        undo,
      );
      await admin.must('PATCH', `/api/integrations/${integration.id}`, { auth_mode: mode });
      const call = () =>
        callTool(mcpUrl, key, { name: `${slug}-before_count-side-effect`, arguments: { id: mode } });
      // A worker that hears of the edit with the call already in its hands takes it back, unsent.
      expect(['auth_mode_unavailable', 'cancelled']).toContain(errorOf((await call()).body.result)?.code);
      await admin.untilState(integration.id, 'disconnected');
      expect(errorOf((await call()).body.result)).toMatchObject(refused);
      expect(upstream.callsOf('count-side-effect')).toEqual([]);
    });
  });
}
