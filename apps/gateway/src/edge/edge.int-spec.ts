import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testPrefix, testRedisUrl } from '@switchyard/testing';
import { bearer, completed, rpc, textResult, until } from '../gateway-client-spec.js';
import { GatewayHarness, type TestGateway } from '../gateway-harness-spec.js';

const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };

describe('the edge', () => {
  let harness: GatewayHarness;
  let gateway: TestGateway;
  let key: string;
  const mayEnd = Promise.withResolvers<void>();

  beforeAll(async () => {
    const url = await testRedisUrl();
    harness = await GatewayHarness.open({ kind: 'redis', prefix: testPrefix(), url: () => url });
    harness.work(async (job) => {
      if (job.sealed.call.tool === 'slow') await mayEnd.promise;
      return completed(job, textResult('ran'));
    });
    await harness.addIntegration('up', [{ name: 'echo' }, { name: 'slow' }]);
    ({ key } = await harness.addKey());
    gateway = await harness.startGateway({
      GATEWAY_BODY_LIMIT_BYTES: '100000',
      GATEWAY_BODY_TIMEOUT: '500ms',
      GATEWAY_KEEP_ALIVE: '700ms',
      GATEWAY_ALLOWED_ORIGINS: 'https://app.example.com',
    });
  }, 120_000);
  afterAll(() => harness.close());

  const paths = [
    '/mcp',
    '/api/tool-calls',
    '/.well-known/oauth-protected-resource',
    '/api/integrations',
    '/nothing',
  ];

  it.each(paths)('refuses a foreign Host on %s before anything else', async (path) => {
    const answer = await withHost(gateway, path, 'rebound.example');
    expect(answer).toMatchObject({ status: 403, body: { code: 'host_not_allowed' } });
  });

  it.each(paths)('refuses a foreign Origin on %s before anything else', async (path) => {
    const response = await fetch(`${gateway.url}${path}`, {
      headers: { origin: 'https://evil.example', ...bearer(key) },
    });
    expect(response.status).toBe(403);
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
    expect(await response.json()).toMatchObject({ code: 'origin_not_allowed' });
  });

  it('lets listed pages call, and read what they need', async () => {
    const headers = { origin: 'https://app.example.com', ...bearer(key) };
    const preflight = await fetch(gateway.mcpUrl, {
      method: 'OPTIONS',
      headers: {
        origin: headers.origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization',
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization');
    const answer = await rpc(gateway.mcpUrl, list, headers);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
    expect(answer.headers.get('access-control-expose-headers')).toContain('Mcp-Session-Id');
  });

  it.each(['/mcp', '/api/tool-calls'])('refuses a body over the limit on %s', async (path) => {
    const body = JSON.stringify({ ...list, params: { padding: 'x'.repeat(100_000) } });
    const answer = await rpc(`${gateway.url}${path}`, body, bearer(key));
    expect(answer).toMatchObject({ status: 413, body: { code: 'payload_too_large' } });
  });

  it('does not wait for a body that never ends', async () => {
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString()));
    const ended = new Promise((resolve) => socket.once('close', resolve));
    socket.write(
      `POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"jsonrpc"`,
    );
    await ended;
    expect(answer).toContain('400 Bad Request');
    expect(answer).toContain('did not arrive within 500 ms');
  });

  it('keeps a silent stream alive, however long it lasts', async () => {
    const abort = new AbortController();
    const headers = { accept: 'text/event-stream', ...bearer(key) };
    const { body } = await fetch(gateway.mcpUrl, { headers, signal: abort.signal });
    let text = '';
    for await (const chunk of body ?? []) {
      text += Buffer.from(chunk as Uint8Array).toString();
      if (text.split(': keep-alive').length > 2) break;
    }
    expect(text).toMatch(/^event: message\ndata: .*\n\n: keep-alive\n\n: keep-alive\n\n$/);
    abort.abort();
  });

  it('turns a long wait for an answer into an event stream, for a client that reads one', async () => {
    const params = { name: 'up_slow', arguments: {} };
    const response = await fetch(gateway.mcpUrl, {
      method: 'POST',
      headers: {
        ...bearer(key),
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
    });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    mayEnd.resolve();
    expect(await response.text()).toMatch(/data: \{.*"text":"ran".*\}\n\n$/);
  });

  it.each([
    ['nothing', '', 400, -32700],
    ['broken JSON', '{"jsonrpc":"2.0",', 400, -32700],
    ['no object', '42', 400, -32600],
    ['a batch', JSON.stringify([list]), 400, -32600],
    ['an empty batch', '[]', 400, -32600],
    ['10,000 messages', JSON.stringify(Array.from({ length: 1_500 }, () => list)), 400, -32600],
    ['no JSON-RPC', '{"hello":"world"}', 400, -32600],
    ['another version', '{"jsonrpc":"1.0","id":1,"method":"tools/list"}', 400, -32600],
    ['an id that is an object', '{"jsonrpc":"2.0","id":{},"method":"tools/list"}', 400, -32600],
    [
      'deep nesting',
      `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":${'{"a":'.repeat(200)}1${'}'.repeat(200)}}`,
      400,
      -32600,
    ],
    [
      'a __proto__ key',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"up_echo","arguments":{"__proto__":1}}}',
      400,
      -32600,
    ],
  ])('answers %s with the code of JSON-RPC', async (_name, body, status, code) => {
    const answer = await rpc(gateway.mcpUrl, body, bearer(key));
    expect([answer.status, answer.body.error?.code]).toEqual([status, code]);
    expect(answer.body).toHaveProperty('id');
  });

  it.each([
    ['an unknown method', { method: 'tools/destroy' }, -32601],
    ['a method that is not offered', { method: 'tasks/list' }, -32601],
    ['a call without a name', { method: 'tools/call', params: { arguments: {} } }, -32602],
    [
      'a call with arguments that are a list',
      { method: 'tools/call', params: { name: 'up_echo', arguments: [] } },
      -32602,
    ],
    ['a call of an unknown tool', { method: 'tools/call', params: { name: 'nothing' } }, -32602],
    ['an initialize without parameters', { method: 'initialize', params: {} }, -32602],
  ])('answers %s with its id and code', async (_name, message, code) => {
    const answer = await rpc(gateway.mcpUrl, { jsonrpc: '2.0', id: 'a', ...message }, bearer(key));
    expect([answer.status, answer.body.id, answer.body.error.code]).toEqual([200, 'a', code]);
  });

  it('refuses what is no JSON by its type, and a revision that it does not know', async () => {
    const text = await rpc(gateway.mcpUrl, JSON.stringify(list), {
      ...bearer(key),
      'content-type': 'text/plain',
    });
    expect(text.status).toBe(415);
    const version = await rpc(gateway.mcpUrl, list, { ...bearer(key), 'mcp-protocol-version': '2020-01-01' });
    expect([version.status, version.body.error.code]).toEqual([400, -32000]);
  });

  it.each(['application/x-www-form-urlencoded', 'text/plain', 'foo'])(
    'says to whoever sends a REST route a body of type %s that it has to be JSON',
    async (type) => {
      const headers = { ...bearer(key), 'content-type': type };
      for (const path of ['/api/tool-calls', '/v1/mcp/tool/execute'])
        expect(await rpc(`${gateway.url}${path}`, '{"tool":"up_echo"}', headers)).toMatchObject({
          status: 400,
          body: {
            code: 'invalid_request',
            detail: expect.stringContaining('Content-Type: application/json'),
          },
        });
    },
  );

  it.each(['application/x-www-form-urlencoded', 'application/xml', 'foo'])(
    'says the same to an MCP client, in the form of MCP: a body of type %s',
    async (type) => {
      const answer = await rpc(gateway.mcpUrl, JSON.stringify(list), {
        ...bearer(key),
        'content-type': type,
      });
      expect([answer.status, answer.body.error.code]).toEqual([415, -32000]);
    },
  );

  it('answers errors of the REST routes as problem documents that repeat nothing of the input', async () => {
    const broken = await rpc(`${gateway.url}/api/tool-calls`, '{"tool":"secret-token"', bearer(key));
    expect(broken).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', detail: expect.stringContaining('not valid JSON') },
    });
    expect(JSON.stringify(broken.body)).not.toContain('secret-token');
    const wrong = await rpc(`${gateway.url}/api/tool-calls`, { tool: 'x', colour: 'red' }, bearer(key));
    expect(wrong).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect((await fetch(`${gateway.url}/nothing`)).status).toBe(404);
  });

  it.each(['forged', 'another key’s', 'a changed'])(
    'takes %s session id for one that was never there',
    async (kind) => {
      const other = await harness.addKey();
      await until(async () => expect((await rpc(gateway.mcpUrl, list, bearer(other.key))).status).toBe(200));
      const params = {
        protocolVersion: '2025-11-25',
        capabilities: {},
        clientInfo: { name: 'x', version: '1' },
      };
      const opened = await rpc(gateway.mcpUrl, { ...list, method: 'initialize', params }, bearer(other.key));
      const token = opened.headers.get('mcp-session-id') ?? '';
      const [id, vk] =
        {
          forged: ['x'.repeat(80), key],
          'another key’s': [token, key],
          'a changed': [`${token.slice(0, -2)}AA`, other.key],
        }[kind] ?? [];
      for (const method of ['POST', 'GET', 'DELETE']) {
        const response = await fetch(gateway.mcpUrl, {
          method,
          headers: { ...bearer(vk), 'mcp-session-id': id ?? '', 'content-type': 'application/json' },
          ...(method === 'POST' && { body: JSON.stringify(list) }),
        });
        expect(response.status).toBe(404);
        expect(await response.json()).toMatchObject({
          error: { code: -32001, message: 'Session not found' },
        });
      }
    },
  );

  it('ends a session, and its stream, when the client says so', async () => {
    const params = {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'x', version: '1' },
    };
    const opened = await rpc(gateway.mcpUrl, { ...list, method: 'initialize', params }, bearer(key));
    const headers = { ...bearer(key), 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
    const stream = await fetch(gateway.mcpUrl, { headers: { ...headers, accept: 'text/event-stream' } });
    expect((await fetch(gateway.mcpUrl, { method: 'DELETE', headers })).status).toBe(204);
    expect(await stream.text()).toContain('connection/opened');
    expect((await fetch(gateway.mcpUrl, { method: 'DELETE', headers: bearer(key) })).status).toBe(400);
  });

  it('has no GET stream and no sessions for clients of 2026-07-28, and answers their errors in their way', async () => {
    const modern = { ...bearer(key), 'mcp-protocol-version': '2026-07-28' };
    for (const method of ['GET', 'DELETE']) {
      const response = await fetch(gateway.mcpUrl, {
        method,
        headers: { ...modern, accept: 'text/event-stream' },
      });
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    }
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const unknown = { jsonrpc: '2.0', id: 1, method: 'ping', params: { _meta } };
    const answer = await rpc(gateway.mcpUrl, unknown, { ...modern, 'mcp-method': 'ping' });
    expect([answer.status, answer.body.error.code]).toEqual([404, -32601]);
    const mismatch = await rpc(
      gateway.mcpUrl,
      { ...unknown, method: 'tools/list' },
      { ...modern, 'mcp-method': 'ping' },
    );
    expect([mismatch.status, mismatch.body.error.code]).toEqual([400, -32020]);
  });
});

/** `fetch` does not let anybody set the Host. */
function withHost(
  gateway: TestGateway,
  path: string,
  host: string,
): Promise<{ status?: number; body: unknown }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${gateway.url}${path}`, { headers: { host } }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode, body: JSON.parse(text) }));
    });
    request.once('error', reject).end();
  });
}
