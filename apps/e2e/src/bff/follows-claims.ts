import { beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, startAuthorizationServer } from '@switchyard/testing';
import { type ConnectedFixture, connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import { ask } from '../harness/http.js';
import { bearer } from '../harness/mcp-rpc.js';
import type { People } from '../harness/people.js';
import type { Switchyard } from '../harness/switchyard.js';
import { BffApi } from './bff-api.js';

const withinMs = 2_000;

/** What a user sees and may call follows from the claims of their token, by every name and at every replica. */
export function followsClaims(switchyard: () => Switchyard, people: () => People): void {
  describe('tools by claims', () => {
    const undo = undoAfterAll();
    let crm: ConnectedFixture;
    let policyId: string;
    const origins = () => switchyard().mcpUrls.map((url) => new URL(url).origin);
    const at = (token: string, replica = 0) => new BffApi(origins()[replica] ?? '', token);
    const tokenWith = (claims: Record<string, unknown>, user = 'bob') => people().tokenOf(user, { claims });

    beforeAll(async () => {
      crm = await connectFixture(switchyard(), 'crm', undo);
      const policy = (body: object) =>
        switchyard().admin.must<{ id: string }>('POST', '/api/policies', { name: 'crm', ...body });
      const configs = (...tools: string[]) => [{ mcp_client_name: 'crm', tools_to_execute: tools }];
      ({ id: policyId } = await policy({
        matchers: [{ path: 'department', operator: 'EQUALS', value: 'sales' }],
        mcp_configs: configs('echo', 'add'),
      }));
      await policy({
        ...{ effect: 'deny', priority: 10, mcp_configs: configs('add') },
        matchers: [{ path: 'contract.kind', operator: 'IN', value: ['intern', 'external'] }],
      });
    });

    it('lists what policies allow, less what others deny', async () => {
      const sales = await tokenWith({ department: 'sales' });
      await eventually(async () => (await at(sales).names()).length === 2, { timeoutMs: 10_000 });
      expect((await at(sales).names()).sort()).toEqual(['crm_add', 'crm_echo']);
      const intern = await tokenWith({ department: 'sales', contract: { kind: 'intern' } });
      expect(await at(intern).names()).toEqual(['crm_echo']);
      for (const claims of [
        {},
        { department: 'Sales' },
        { department: ['sales'] },
        { 'dep.artment': 'sales' },
      ])
        expect(await at(await tokenWith(claims)).names()).toEqual([]);
    });

    it('calls no tool that it does not list, whatever it is called', async () => {
      const intern = await tokenWith({ department: 'sales', contract: { kind: 'intern' } });
      const { id } = crm.integration;
      for (const named of [
        { tool_id: `${id}:add` },
        { tool_id: 'crm:add' },
        { name: 'crm_add' },
        { tool_id: 'CRM:add' },
        { tool_id: `${id}:ADD` },
      ]) {
        const answer = await at(intern).call({ ...named, arguments: { a: 1, b: 2 } });
        expect([answer.status, answer.body.code]).toEqual([404, 'tool_not_found']);
      }
      const sales = await tokenWith({ department: 'sales' });
      const answer = await at(sales).call({ tool_id: `${id}:add`, arguments: { a: 1, b: 2 } });
      expect(answer.body).toMatchObject({ status: 'completed', result: { structuredContent: { sum: 3 } } });
      const filtered = { tool_id: 'crm:add', arguments: { a: 1, b: 2 }, include_tools: ['crm_echo'] };
      expect((await at(sales).call(filtered)).status).toBe(404);
    });

    it('follows a change of a policy at every replica, for tokens that are in use', async () => {
      const support = await tokenWith({ department: 'support' });
      expect(await at(support).names()).toEqual([]);
      const set = (value: string) =>
        switchyard().admin.must('PATCH', `/api/policies/${policyId}`, {
          matchers: [{ path: 'department', operator: 'EQUALS', value }],
        });
      for (const [value, count] of [
        ['support', 2],
        ['sales', 0],
      ] as const) {
        await set(value);
        for (const replica of [0, 1])
          await eventually(async () => (await at(support, replica).names()).length === count, {
            timeoutMs: withinMs,
          });
      }
    });

    it('takes nobody’s word but that of the user’s own provider', async () => {
      const { admin } = switchyard();
      const { key } = await admin.makeKey({ crm: ['*'] });
      const stranger = await startAuthorizationServer();
      undo(() => stranger.close());
      const forged = await stranger.issueToken('bob', switchyard().origin(), {
        claims: { department: 'sales' },
      });
      for (const credential of [key, switchyard().dev.admin_key, forged]) {
        const answer = await ask(`${switchyard().origin()}/api/bff/tools`, { headers: bearer(credential) });
        expect(answer.status).toBe(401);
      }
      const other = await admin.makeOrganization('bff-neighbours');
      const provider = await startAuthorizationServer({ defaultResource: 'https://neighbours.example' });
      undo(() => provider.close());
      await other.must('POST', '/api/identity-providers', {
        ...{
          name: 'theirs',
          issuer: provider.issuer,
          audience: 'https://neighbours.example',
          client_id: 'c',
        },
      });
      const theirs = await provider.issueToken('bob', 'https://neighbours.example', {
        claims: { department: 'sales' },
      });
      const own = await at(await tokenWith({ department: 'sales' })).call({
        ...{ name: 'crm_echo', arguments: { message: 'ours' } },
      });
      await eventually(async () => (await at(theirs).tools()).length === 0, { timeoutMs: 10_000 });
      expect((await at(theirs).call({ tool_id: `${crm.integration.id}:echo` })).status).toBe(404);
      expect((await at(theirs).find(own.body.call_id)).status).toBe(404);
    });
  });
}
