import { request } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { defineTool, eventually, fixtureTools, textResult } from '@switchyard/testing';
import { type ConnectedFixture, connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import { ask } from '../harness/http.js';
import { bearer, callTool, errorOf, rpc } from '../harness/mcp-rpc.js';
import type { Switchyard } from '../harness/switchyard.js';

const slug = 'refusing';
const list = { method: 'tools/list' };

const numbers = Array.from({ length: 9 }, (_, at) => `number${at}`);
const properties = Object.fromEntries(numbers.map((name) => [name, { type: 'number' }]));
const many = defineTool('many', { properties }, ({ log, args }) => {
  log.add('many', args);
  return textResult('done');
});

/** Bad requests, each with the code that the documentation gives it. */
export function refusesRequests(switchyard: () => Switchyard): void {
  describe('a bad request', () => {
    const undo = undoAfterAll();
    let fixture: ConnectedFixture;
    beforeAll(async () => {
      fixture = await connectFixture(switchyard(), slug, undo, {
        upstream: { tools: [...fixtureTools(), many] },
      });
    });

    it('for an unknown tool is tool_not_found', async () => {
      const { body } = await callTool(switchyard().mcpUrl, fixture.key, {
        name: `${slug}_nothing`,
        id: 'x-1',
      });
      expect(body).toMatchObject({ id: 'x-1', error: { code: -32602, data: { code: 'tool_not_found' } } });
      expect(await fixture.calls.send(`${slug}_nothing`, {})).toMatchObject({
        status: 404,
        body: { code: 'tool_not_found' },
      });
    });

    it('with bad arguments is tool_arguments_invalid, with the first five errors; nothing is sent', async () => {
      const args = Object.fromEntries(numbers.map((name) => [name, 'no number']));
      const five = numbers.slice(0, 5).map((name) => ({ path: expect.stringContaining(name) }));
      const { body } = await callTool(switchyard().mcpUrl, fixture.key, {
        name: `${slug}_many`,
        arguments: args,
      });
      expect(errorOf(body.result)).toMatchObject({
        code: 'tool_arguments_invalid',
        details: { errors: five },
      });
      expect(await fixture.calls.send(`${slug}_many`, args)).toMatchObject({
        status: 400,
        body: { code: 'tool_arguments_invalid', errors: five },
      });
      expect(fixture.upstream.callsOf('many')).toEqual([]);
    });

    it.each([
      ['no JSON', '{"jsonrpc":', 400, -32700],
      ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"tools/list"}]', 400, -32600],
      ['no JSON-RPC', '{"hello":"world"}', 400, -32600],
      ['an unknown method', '{"jsonrpc":"2.0","id":1,"method":"tools/explode"}', 200, -32601],
      ['a call without a name', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}', 200, -32602],
    ])('that is %s is answered with its JSON-RPC code', async (_, body, status, code) => {
      const answer = await ask(switchyard().mcpUrl, { headers: bearer(fixture.key), body });
      expect(answer).toMatchObject({ status, body: { jsonrpc: '2.0', error: { code } } });
    });

    it('that is too large is payload_too_large', async () => {
      const message = 'x'.repeat(5 * 1024 * 1024);
      const answer = await callTool(switchyard().mcpUrl, fixture.key, {
        name: `${slug}_echo`,
        arguments: { message },
      });
      expect(answer).toMatchObject({ status: 413, body: { code: 'payload_too_large' } });
    });

    it('for a foreign Host is host_not_allowed', async () => {
      expect(await postWithHost(switchyard().mcpUrl, 'evil.example', fixture.key)).toMatchObject({
        status: 403,
        code: 'host_not_allowed',
      });
    });

    it('from a foreign Origin is origin_not_allowed', async () => {
      const headers = { ...bearer(fixture.key), origin: 'https://evil.example' };
      const answer = await rpc(switchyard().mcpUrl, headers, list);
      expect(answer).toMatchObject({ status: 403, body: { code: 'origin_not_allowed' } });
    });

    it('with an unknown key is unauthenticated', async () => {
      const answer = await rpc(switchyard().mcpUrl, bearer('vk_unknown'), list);
      expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
      expect(answer.headers.get('www-authenticate')).toContain('/.well-known/oauth-protected-resource');
    });

    it('with an expired key is key_expired', async () => {
      const expires_at = new Date(Date.now() + 700).toISOString();
      const { key } = await fixture.admin.makeKey({ [slug]: ['*'] }, { expires_at });
      const expired = await eventually(async () => {
        const answer = await rpc(switchyard().mcpUrl, bearer(key), list);
        return answer.status !== 200 && answer;
      });
      expect(expired).toMatchObject({ status: 401, body: { code: 'key_expired' } });
    });

    it('with a revoked key is key_revoked', async () => {
      const { id, key } = await fixture.admin.makeKey({ [slug]: ['*'] });
      await fixture.admin.must('POST', `/api/virtual-keys/${id}/revoke`);
      const refused = await eventually(async () => {
        const answer = await rpc(switchyard().mcpUrl, bearer(key), list);
        return answer.status !== 200 && answer;
      });
      expect(refused).toMatchObject({ status: 401, body: { code: 'key_revoked' } });
    });

    it('with two different credentials is credentials_conflict, with the same one twice it is none', async () => {
      const { key: other } = await fixture.admin.makeKey({ [slug]: ['*'] });
      const both = await rpc(switchyard().mcpUrl, { ...bearer(fixture.key), 'x-api-key': other }, list);
      expect(both).toMatchObject({ status: 400, body: { code: 'credentials_conflict' } });
      const same = await rpc(switchyard().mcpUrl, { ...bearer(fixture.key), 'x-api-key': fixture.key }, list);
      expect(same.status).toBe(200);
    });

    it('of an admin without the admin key is unauthenticated, with a virtual key too', async () => {
      for (const headers of [{}, bearer(fixture.key), bearer('ak_wrong')]) {
        const answer = await ask(new URL('/api/integrations', switchyard().origin()), { headers });
        expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
      }
    });

    it('for a route that is not there is not_found', async () => {
      const answer = await ask(new URL('/api/nowhere', switchyard().origin()), {
        headers: bearer(switchyard().dev.admin_key),
      });
      expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } });
    });
  });
}

/** `fetch` sets Host by itself. */
async function postWithHost(
  url: string,
  host: string,
  key: string,
): Promise<{ status?: number; code: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status?: number; code: string }>();
  const headers = { host, ...bearer(key), 'content-type': 'application/json' };
  request(url, { method: 'POST', headers }, (response) => {
    readText(response)
      .then((body) =>
        resolve({ status: response.statusCode, code: (JSON.parse(body) as { code: string }).code }),
      )
      .catch(reject);
  })
    .on('error', reject)
    .end(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }));
  return promise;
}
