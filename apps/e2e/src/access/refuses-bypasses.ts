import { beforeAll, describe, expect, it } from '@jest/globals';
import { type ConnectedFixture, connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import { ask } from '../harness/http.js';
import { bearer, rpc, toolNames } from '../harness/mcp-rpc.js';
import type { People } from '../harness/people.js';
import type { Switchyard } from '../harness/switchyard.js';

const slug = 'guarded';

/** Whoever may not use a tool does not get at it by another of its names, another door or another address. */
export function refusesBypasses(switchyard: () => Switchyard, people: () => People): void {
  describe('a tool that somebody may not use', () => {
    const undo = undoAfterAll();
    let fixture: ConnectedFixture;
    let token: string;
    let toolKey: string;
    const admin = () => switchyard().admin;
    const at = (path: string) => new URL(path, switchyard().origin());

    beforeAll(async () => {
      fixture = await connectFixture(switchyard(), slug, undo);
      const policy = await admin().must<{ id: string }>('POST', '/api/policies', {
        name: 'echo alone',
        matchers: [{ path: 'department', operator: 'EQUALS', value: 'guests' }],
        mcp_configs: [{ mcp_client_name: slug, tools_to_execute: ['echo'] }],
      });
      undo(() => admin().send('DELETE', `/api/policies/${policy.id}`));
      token = await people().tokenOf('bob', { claims: { department: 'guests' }, ttlSeconds: 3_000 });
      toolKey = (await admin().makeKey({ [slug]: ['echo'] })).key;
      const made = await admin().must<{ id: string }>('POST', '/api/toolsets', {
        slug: 'guarded-tools',
        name: 'Guarded',
        prefix: false,
        mcp_configs: [
          {
            mcp_client_name: slug,
            tools_to_execute: ['*'],
            tools: { 'count-side-effect': { name: 'strike' } },
          },
        ],
      });
      undo(() => admin().send('DELETE', `/api/toolsets/${made.id}`));
    }, 60_000);

    const bffCall = (tool: Record<string, unknown>) =>
      ask<{ status?: string; code?: string }>(at('/api/bff/tools/call'), {
        headers: bearer(token),
        body: { ...tool, arguments: {} },
      });

    it('is not reached through the BFF API by any of its names', async () => {
      const { id } = fixture.integration;
      const echo = await ask<{ status: string }>(at('/api/bff/tools/call'), {
        headers: bearer(token),
        body: { tool_id: `${id}:echo`, arguments: { message: 'x' } },
      });
      expect(echo).toMatchObject({ status: 200, body: { status: 'completed' } });
      const tool = 'count-side-effect';
      const twin = tool.replace('o', '\u043e');
      const names = [
        ...[`${id}:${tool}`, `${slug}:${tool}`, `${slug}_${tool}`, tool, 'strike'],
        ...[`${slug}_${tool.toUpperCase()}`, `${id}:${twin}`, `${slug}_${twin}`],
      ];
      for (const name of names) {
        for (const body of [{ tool_id: name }, { name }])
          expect([403, 404]).toContain((await bffCall(body)).status);
      }
      // Of two that differ, the first counts, and the second opens nothing.
      await bffCall({ tool_id: `${id}:echo`, name: `${slug}_${tool}` });
      expect(fixture.upstream.calls).toEqual([]);
    });

    it('is not reached at the address of a toolset that is somebody else’s, or nobody’s', async () => {
      for (const headers of [bearer(token), bearer(toolKey)]) {
        const url = at('/mcp/guarded-tools').href;
        const list = await rpc(url, headers, { method: 'tools/list' });
        expect(list).toMatchObject({ status: 403, body: { code: 'forbidden' } });
        const call = await rpc(url, headers, {
          method: 'tools/call',
          params: { name: 'strike', arguments: {} },
        });
        expect(call.status).toBe(403);
        for (const other of ['/mcp/nowhere', '/mcp/guarded%2Dtools%2F', '/mcp/..%2f', '/mcp/Guarded-Tools'])
          expect(
            (await rpc(at(other).href, headers, { method: 'tools/list' })).status,
          ).toBeGreaterThanOrEqual(400);
      }
      expect((await rpc(at('/mcp/guarded-tools').href, {}, { method: 'tools/list' })).status).toBe(401);
    });

    it('is not reached by a filter that names it', async () => {
      const headers = {
        ...bearer(token),
        'x-bf-mcp-include-tools': `${slug}_count-side-effect,${slug}_echo`,
        'x-bf-mcp-include-clients': '*',
      };
      expect(await toolNames(switchyard().mcpUrl, headers)).toEqual([`${slug}_echo`]);
    });

    it('is not reached by a stranger’s toolset or with a stranger’s key', async () => {
      const strangers = await admin().makeOrganization('bypass-strangers');
      const { key, id: keyId } = await strangers.makeKey({ [slug]: ['*'] });
      expect((await rpc(at('/mcp/guarded-tools').href, bearer(key), { method: 'tools/list' })).status).toBe(
        404,
      );
      const own = {
        slug: 'taken',
        name: 'Taken',
        mcp_configs: [{ mcp_client_name: slug, tools_to_execute: ['*'] }],
      };
      await strangers.must('POST', '/api/toolsets', { ...own, virtual_key_ids: [keyId] });
      const listed = await rpc(at('/mcp/taken').href, bearer(key), { method: 'tools/list' });
      expect(listed.body.result?.tools ?? []).toEqual([]);
      const foreign = await admin().send('POST', '/api/toolsets', {
        ...own,
        slug: 'foreign',
        virtual_key_ids: [keyId],
      });
      expect(foreign.status).toBe(400);
    });

    it('takes no virtual key at the BFF API', async () => {
      for (const path of ['/api/bff/tools', '/api/bff/sse'])
        expect((await ask(at(path), { headers: bearer(toolKey) })).status).toBe(401);
      const body = { tool_id: `${slug}_echo`, arguments: { message: 'x' } };
      expect((await ask(at('/api/bff/tools/call'), { headers: bearer(toolKey), body })).status).toBe(401);
    });
  });
}
