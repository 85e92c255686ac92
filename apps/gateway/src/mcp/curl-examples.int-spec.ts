import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testPrefix, testRedisUrl } from '@switchyard/testing';
import { bearer, completed, rpc, textResult } from '../gateway-client-spec.js';
import { GatewayHarness, type TestGateway } from '../gateway-harness-spec.js';

/** As written in the gateway URL document: no initialize, no Accept header, no session. */
const listTools = `{
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/list"
  }`;
const callTool = `{
    "jsonrpc": "2.0",
    "id": 2,
    "method": "tools/call",
    "params": {
      "name": "filesystem_read_file",
      "arguments": {
        "path": "/tmp/test.txt"
      }
    }
  }`;

describe('the curl examples', () => {
  let harness: GatewayHarness;
  let gateway: TestGateway;
  let key: string;

  beforeAll(async () => {
    const url = await testRedisUrl();
    harness = await GatewayHarness.open({ kind: 'redis', prefix: testPrefix(), url: () => url });
    harness.work((job) =>
      Promise.resolve(completed(job, textResult(`read ${String(job.arguments['path'])}`))),
    );
    await harness.addIntegration('filesystem', [{ name: 'read_file' }, { name: 'write_file' }]);
    await harness.addIntegration('web-search', [{ name: 'find' }]);
    ({ key } = await harness.addKey({ grants: { filesystem: ['read_file'], web_search: ['*'] } }));
    gateway = await harness.startGateway();
  }, 120_000);
  afterAll(() => harness.close());

  it.each([
    ['Authorization', (vk: string) => `Bearer ${vk}`],
    ['X-Api-Key', (vk: string) => vk],
    ['x-bf-virtual-key', (vk: string) => vk],
    ['x-bf-vk', (vk: string) => vk],
  ])('list the tools that the key of %s is granted, as JSON', async (name, valueOf) => {
    const answer = await rpc(gateway.mcpUrl, listTools, { [name]: valueOf(key) });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.body).toMatchObject({ jsonrpc: '2.0', id: 1 });
    const tools: { name: string }[] = answer.body.result.tools;
    expect(tools.map((tool) => tool.name)).toEqual(['filesystem_read_file', 'web-search_find']);
  });

  it('call a tool', async () => {
    const answer = await rpc(gateway.mcpUrl, callTool, bearer(key));
    expect(answer.body).toEqual({
      jsonrpc: '2.0',
      id: 2,
      result: { content: [{ type: 'text', text: 'read /tmp/test.txt' }] },
    });
  });

  it('open an event stream that says connection/opened first', async () => {
    const abort = new AbortController();
    const response = await fetch(gateway.mcpUrl, {
      headers: { accept: 'text/event-stream', ...bearer(key) },
      signal: abort.signal,
    });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    const { value } = (await response.body?.getReader().read()) ?? {};
    expect(Buffer.from(value ?? []).toString()).toBe(
      'event: message\ndata: {"jsonrpc":"2.0","method":"connection/opened"}\n\n',
    );
    abort.abort();
  });

  it('work as event streams for a client that takes nothing else', async () => {
    const answer = await rpc(gateway.mcpUrl, listTools, { ...bearer(key), accept: 'text/event-stream' });
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    expect(answer.body).toMatch(/^event: message\ndata: \{"jsonrpc":"2.0","id":1,"result":\{"tools":\[/);
  });

  it('need no key while enforce_auth_on_inference is off, for the tools that need no user', async () => {
    await harness.addIntegration('mail', [{ name: 'send' }], {
      columns: { auth_mode: 'authorization_code' },
    });
    const open = await harness.startGateway({ GATEWAY_ENFORCE_AUTH_ON_INFERENCE: 'false' });
    const answer = await rpc(open.mcpUrl, listTools);
    const tools: { name: string }[] = answer.body.result.tools;
    expect(tools.map((tool) => tool.name)).toEqual([
      'filesystem_read_file',
      'filesystem_write_file',
      'web-search_find',
    ]);
    expect((await rpc(open.mcpUrl, callTool)).body.result.content[0].text).toBe('read /tmp/test.txt');
    expect((await rpc(open.mcpUrl, listTools, bearer('vk_wrong'))).status).toBe(401);
  });

  it('take a cursor, and give all tools in one page', async () => {
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: { cursor: 'x' } };
    const { result } = (await rpc(gateway.mcpUrl, message, bearer(key))).body;
    expect(result.tools).toHaveLength(2);
    expect(result).not.toHaveProperty('nextCursor');
  });
});
