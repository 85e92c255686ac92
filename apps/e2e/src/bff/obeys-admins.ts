import { describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import { inParallel } from '../harness/http.js';
import { bearer, callTool, errorOf, toolNames } from '../harness/mcp-rpc.js';
import type { Switchyard } from '../harness/switchyard.js';

/** What an admin sets about calls holds at every replica: limits of a key, results that repeat, search in place of a list. */
export function obeysAdmins(switchyard: () => Switchyard): void {
  describe('what an admin says of calls', () => {
    const undo = undoAfterAll();
    const mcp = (at: number): string => switchyard().mcpUrls[at % 2] ?? '';
    const knownTo = (key: string) =>
      eventually(
        async () => (await toolNames(mcp(0), bearer(key))).length > 0 && toolNames(mcp(1), bearer(key)),
      );

    it('lets a key that floods have its limit, and all others their calls', async () => {
      const { key: other } = await connectFixture(switchyard(), 'flooded', undo);
      const rate_limit = { limit: 20, interval_ms: 60_000 };
      const { key } = await switchyard().admin.makeKey({ flooded: ['*'] }, { rate_limit });
      for (const one of [key, other]) await knownTo(one);
      const echo = { name: 'flooded_echo', arguments: { message: 'x' } };
      const outcomes = (credential: string, count: number) =>
        inParallel(Array.from({ length: count }), 30, async (_, at) => {
          const { body } = await callTool(mcp(at), credential, echo);
          return errorOf(body.result)?.code ?? 'completed';
        });
      const [flood, calm] = await Promise.all([outcomes(key, 200), outcomes(other, 40)]);
      expect(flood.filter((code) => code === 'completed')).toHaveLength(20);
      expect(flood.filter((code) => code === 'rate_limited')).toHaveLength(180);
      expect(calm.filter((code) => code === 'completed')).toHaveLength(40);
    });

    it('asks a vendor once for a result that may be repeated', async () => {
      const { upstream, integration, key } = await connectFixture(switchyard(), 'repeated', undo);
      const path = `/api/integrations/${integration.id}`;
      const cached = (tool: string) => ({ tool_overrides: { [tool]: { cache_seconds: 600 } } });
      expect((await switchyard().admin.send('PATCH', path, cached('count-side-effect'))).status).toBe(400);
      await switchyard().admin.must('PATCH', path, cached('safe-read'));
      const read = (id: string) => callTool(mcp(0), key, { name: 'repeated_safe-read', arguments: { id } });
      const again = await eventually(async () => {
        const { body } = await read('same');
        return body.result?._meta?.['io.switchyard/cached'] !== undefined && body.result;
      });
      expect(again.content).toEqual([{ type: 'text', text: 'Read: same' }]);
      const asked = upstream.callsOf('safe-read').length;
      await read('same');
      expect(upstream.callsOf('safe-read')).toHaveLength(asked);
      await read('other');
      expect(upstream.callsOf('safe-read')).toHaveLength(asked + 1);
    });

    it('lists three tools in place of all, by which the others are found and called', async () => {
      await connectFixture(switchyard(), 'searched', undo);
      const { key } = await switchyard().admin.makeKey({ searched: ['*'] }, { tool_mode: 'search' });
      const names = await eventually(async () => {
        const shown = await toolNames(mcp(1), bearer(key));
        return shown.length === 3 && shown;
      });
      expect(names).toEqual(['call_tool', 'get_tool_details', 'search_tools']);
      const found = await eventually(async () => {
        const { body } = await callTool(mcp(1), key, { name: 'search_tools', arguments: { query: 'add' } });
        const { tools } = body.result?.structuredContent as { tools: { name: string }[] };
        return tools[0]?.name;
      });
      expect(found).toBe('searched_add');
      const { body } = await callTool(mcp(0), key, {
        ...{ name: 'call_tool', arguments: { name: found, arguments: { a: 1, b: 2 } } },
      });
      expect(body.result?.structuredContent).toEqual({ sum: 3 });
      const direct = await callTool(mcp(0), key, { name: 'searched_add', arguments: { a: 1, b: 2 } });
      expect(direct.body.error).toMatchObject({ code: -32602 });
    });
  });
}
