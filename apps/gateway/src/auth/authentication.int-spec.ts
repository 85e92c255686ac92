import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { calmMsOf, eventually, testPrefix, testRedisUrl } from '@switchyard/testing';
import { bearer, completed, rpc, textResult, until } from '../gateway-client-spec.js';
import { GatewayHarness, type TestGateway } from '../gateway-harness-spec.js';

const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };

describe('authentication', () => {
  let harness: GatewayHarness;
  let gateways: TestGateway[];
  let gateway: TestGateway;
  let key: string;

  beforeAll(async () => {
    const url = await testRedisUrl();
    harness = await GatewayHarness.open({ kind: 'redis', prefix: testPrefix(), url: () => url });
    harness.work((job) => Promise.resolve(completed(job, textResult('ran'))));
    await harness.addIntegration('up', [{ name: 'echo' }, { name: 'other' }]);
    ({ key } = await harness.addKey());
    gateways = await Promise.all([harness.startGateway(), harness.startGateway()]);
    gateway = gateways[0] as TestGateway;
  }, 120_000);
  afterAll(() => harness.close());

  it.each([
    ['no credential', {}],
    ['an unknown key', bearer('vk_unknown')],
    ['garbage as a bearer', bearer('eyJhbGciOiJub25lIn0.e30.')],
    ['another scheme', { authorization: 'Basic dXNlcjpwYXNz' }],
    ['an empty key header', { 'x-api-key': '' }],
  ])('refuses %s on every route that needs a caller, with the challenge', async (_name, headers) => {
    const routes = [
      ['POST', '/mcp'],
      ['GET', '/mcp'],
      ['DELETE', '/mcp'],
      ['POST', '/api/tool-calls'],
      ['GET', '/api/tool-calls'],
      ['GET', '/api/tool-calls/01890000-0000-7000-8000-000000000001'],
      ['POST', '/api/tool-calls/01890000-0000-7000-8000-000000000001/cancel'],
    ];
    for (const [method, path] of routes) {
      const response = await fetch(`${gateway.url}${path}`, { method, headers });
      expect([path, response.status]).toEqual([path, 401]);
      expect(response.headers.get('www-authenticate')).toBe(
        `Bearer resource_metadata="${gateway.url}/.well-known/oauth-protected-resource"`,
      );
      expect(await response.json()).toMatchObject({ code: 'unauthenticated', status: 401 });
    }
  });

  it('says that a key has expired or was revoked', async () => {
    const expired = await harness.addKey({ expiresAt: new Date(Date.now() - 1000) });
    const revoked = await harness.addKey();
    await harness.revokeKey(revoked.id);
    await until(async () => {
      expect((await rpc(gateway.mcpUrl, list, bearer(expired.key))).body).toMatchObject({
        code: 'key_expired',
      });
      expect((await rpc(gateway.mcpUrl, list, bearer(revoked.key))).body).toMatchObject({
        code: 'key_revoked',
      });
    });
  });

  it('refuses two different credentials, and takes the same one twice', async () => {
    const both = await rpc(gateway.mcpUrl, list, { ...bearer(key), 'x-api-key': 'vk_other' });
    expect([both.status, both.body.code]).toEqual([400, 'credentials_conflict']);
    expect((await rpc(gateway.mcpUrl, list, { ...bearer(key), 'x-bf-virtual-key': key })).status).toBe(200);
  });

  it('serves the protected resource document', async () => {
    for (const path of ['', '/mcp']) {
      const response = await fetch(`${gateway.url}/.well-known/oauth-protected-resource${path}`);
      expect(await response.json()).toEqual({
        resource: `${gateway.url}/mcp`,
        authorization_servers: [gateway.url],
        bearer_methods_supported: ['header'],
        resource_name: 'Switchyard',
      });
    }
  });

  it('names its public URL in document and challenge, where one is configured', async () => {
    const behindProxy = await harness.startGateway({ GATEWAY_PUBLIC_URL: 'https://mcp.example.com/' });
    const document = await fetch(`${behindProxy.url}/.well-known/oauth-protected-resource`);
    expect(await document.json()).toMatchObject({ resource: 'https://mcp.example.com/mcp' });
    expect((await rpc(behindProxy.mcpUrl, list)).headers.get('www-authenticate')).toBe(
      'Bearer resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource"',
    );
  });

  it('shows a key of another organization nothing, not even that tools and calls exist', async () => {
    const orgId = await harness.addOrganization('neighbours');
    const neighbour = await harness.addKey({ orgId, grants: { up: ['*'] } });
    const headers = bearer(neighbour.key);
    const mine = await rpc(`${gateway.url}/api/tool-calls`, { tool: 'up_echo' }, bearer(key));
    expect(mine.status).toBe(202);
    await until(async () => expect((await rpc(gateway.mcpUrl, list, headers)).body.result.tools).toEqual([]));
    const params = { name: 'up_echo', arguments: {} };
    const call = await rpc(gateway.mcpUrl, { jsonrpc: '2.0', id: 1, method: 'tools/call', params }, headers);
    expect(call.body.error).toMatchObject({ code: -32602, message: 'Unknown tool: up_echo' });
    for (const [method, path] of [
      ['GET', ''],
      ['POST', '/cancel'],
    ]) {
      const response = await fetch(`${gateway.url}/api/tool-calls/${mine.body.call_id}${path}`, {
        method,
        headers,
      });
      expect(response.status).toBe(404);
    }
    const own = await fetch(`${gateway.url}/api/tool-calls`, { headers });
    expect(await own.json()).toEqual({ items: [], next_cursor: null });
  });

  it.each([
    'up_ECHO',
    'UP_echo',
    'echo',
    'up_ech',
    'up_echo ',
    'up_ech\u03bf',
    'up_other',
    'up__echo',
    '../up_echo',
  ])('does not call %s for a key that is granted echo', async (name) => {
    const narrow = await harness.addKey({ grants: { up: ['echo'] } });
    await until(async () => expect((await rpc(gateway.mcpUrl, list, bearer(narrow.key))).status).toBe(200));
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } };
    expect((await rpc(gateway.mcpUrl, message, bearer(narrow.key))).body.error.code).toBe(-32602);
  });

  it('stops a revoked key within two seconds at every replica, its streams of both eras too', async () => {
    const doomed = await harness.addKey();
    const ended = await Promise.all(
      gateways.map(async ({ mcpUrl }) => {
        await until(async () => expect((await rpc(mcpUrl, list, bearer(doomed.key))).status).toBe(200));
        return [endOf(await openLegacy(mcpUrl, doomed.key)), endOf(await openModern(mcpUrl, doomed.key))];
      }),
    );
    const isOut = (mcpUrl: string) =>
      until(async () => {
        expect((await rpc(mcpUrl, list, bearer(doomed.key))).body).toMatchObject({ code: 'key_revoked' });
      });
    const waitedMs = await calmMsOf(async () => {
      await harness.revokeKey(doomed.id);
      await Promise.all(ended.flat());
      await Promise.all(gateways.map(({ mcpUrl }) => isOut(mcpUrl)));
    });
    expect(waitedMs).toBeLessThan(2_000);
  });

  it('ends the streams of a key when it expires', async () => {
    const brief = await harness.addKey({ expiresAt: new Date(Date.now() + 1_500) });
    await until(async () => expect((await rpc(gateway.mcpUrl, list, bearer(brief.key))).status).toBe(200));
    await endOf(await openLegacy(gateway.mcpUrl, brief.key));
    expect((await rpc(gateway.mcpUrl, list, bearer(brief.key))).body).toMatchObject({ code: 'key_expired' });
  });

  it('limits the streams of one key, and not those of others', async () => {
    const limited = await harness.startGateway({ GATEWAY_STREAMS_PER_KEY: '2' });
    const other = await harness.addKey();
    const open = [await openLegacy(limited.mcpUrl, key), await openModern(limited.mcpUrl, key)];
    for (const refused of [await openLegacy(limited.mcpUrl, key), await openModern(limited.mcpUrl, key)]) {
      expect(refused.status).toBe(429);
      expect(refused.headers.get('retry-after')).toBe('5');
      expect(await refused.json()).toMatchObject({ code: 'rate_limited' });
    }
    const theirs = await eventually(async () => {
      const response = await openLegacy(limited.mcpUrl, other.key);
      return response.status === 200 && response;
    });
    for (const response of [...open, theirs]) await response.body?.cancel();
    await until(async () => {
      const again = await openLegacy(limited.mcpUrl, key);
      await again.body?.cancel();
      expect(again.status).toBe(200);
    });
  });
});

function openLegacy(mcpUrl: string, key: string): Promise<Response> {
  return fetch(mcpUrl, { headers: { accept: 'text/event-stream', ...bearer(key) } });
}

function openModern(mcpUrl: string, key: string): Promise<Response> {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const params = { notifications: { toolsListChanged: true }, _meta };
  return fetch(mcpUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'subscriptions/listen',
      ...bearer(key),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'subscriptions/listen', params }),
  });
}

/** Reads a stream until the server ends it, gracefully or not. */
async function endOf(response: Response): Promise<void> {
  expect(response.status).toBe(200);
  await response.text().catch(() => undefined);
}
