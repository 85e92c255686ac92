import { describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import { bearer, callTool, textOf, toolNames } from '../harness/mcp-rpc.js';
import type { Switchyard } from '../harness/switchyard.js';

type Tool = { name: string; enabled: boolean; disabled_reason: string | null };

/** What callers are offered is what the upstream has. */
export function followsTools(switchyard: () => Switchyard): void {
  describe('of tools', () => {
    const undo = undoAfterAll();

    it('takes in 5,000 of one server, and serves each', async () => {
      const upstream = { generated: 5_000 };
      const { integration, key } = await connectFixture(switchyard(), 'large', undo, { upstream });
      expect(integration.tool_count).toBeGreaterThanOrEqual(5_000);
      const names = await toolNames(switchyard().mcpUrl, bearer(key));
      expect(names).toHaveLength(integration.tool_count);
      const call = { name: 'large_tool-5000', arguments: { value: 'last' } };
      expect(textOf((await callTool(switchyard().mcpUrl, key, call)).body.result)).toBe('tool-5000: last');
    });

    it('withdraws those that vanish, says why, and offers them again when they return', async () => {
      const { admin, mcpUrl } = switchyard();
      const { upstream, integration, key } = await connectFixture(switchyard(), 'moving', undo);
      const all = upstream.tools();
      const offered = async () => (await toolNames(mcpUrl, bearer(key))).includes('moving_echo');
      const known = async () => {
        const { items } = await admin.must<{ items: Tool[] }>(
          'GET',
          `/api/integrations/${integration.id}/tools?limit=200`,
        );
        return items.find(({ name }) => name === 'echo');
      };

      await upstream.setTools(all.filter(({ wire }) => wire.name !== 'echo'));
      await eventually(async () => !(await offered()));
      expect(await known()).toMatchObject({ enabled: false, disabled_reason: expect.any(String) });
      const { body } = await callTool(mcpUrl, key, { name: 'moving_echo', arguments: { message: 'x' } });
      expect(body.error).toMatchObject({ data: { code: 'tool_not_found' } });

      await upstream.setTools(all);
      await eventually(offered);
      expect(await known()).toMatchObject({ enabled: true, disabled_reason: null });
    });

    it('keeps the old list when a sync fails', async () => {
      const { admin, mcpUrl } = switchyard();
      const { upstream, integration, key } = await connectFixture(switchyard(), 'stumbling', undo);
      const before = await toolNames(mcpUrl, bearer(key));
      upstream.failNext({
        method: 'tools/list',
        count: 10,
        respond: ({ id }) => ({ jsonrpc: '2.0', id, error: { code: -32603, message: 'no list today' } }),
      });
      const outcome = await admin.must('POST', `/api/integrations/${integration.id}/sync?wait=true`);
      expect(outcome).toMatchObject({ status: 'failed', failure: { stage: 'list' } });
      expect(await toolNames(mcpUrl, bearer(key))).toEqual(before);
    });
  });
}
