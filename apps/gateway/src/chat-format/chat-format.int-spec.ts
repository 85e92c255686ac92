import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PlatformError, type ToolCallOutcome } from '@switchyard/contracts';
import { eventually, testPrefix, testRedisUrl } from '@switchyard/testing';
import { bearer, completed, rpc, textResult } from '../gateway-client-spec.js';
import { GatewayHarness, type TestGateway } from '../gateway-harness-spec.js';
import { People } from '../gateway-people-spec.js';

const inputSchema = { type: 'object', properties: { n: { type: 'number' } }, additionalProperties: false };

describe('the chat format', () => {
  let harness: GatewayHarness;
  let gateway: TestGateway;
  let key: string;
  let people: People;

  beforeAll(async () => {
    const url = await testRedisUrl();
    harness = await GatewayHarness.open({ kind: 'redis', prefix: testPrefix(), url: () => url });
    harness.work((job) => {
      const { callId, tool } = job.sealed.call;
      if (tool === 'refuse')
        return Promise.resolve(completed(job, { ...textResult('I cannot.'), isError: true }));
      if (tool !== 'fail') return Promise.resolve(completed(job, textResult(JSON.stringify(job.arguments))));
      const { code } = job.arguments as { code: 'internal' };
      const error = new PlatformError(code).toInfo();
      return Promise.resolve({ callId, authPath: null, status: 'failed', error } as ToolCallOutcome);
    });
    await harness.addIntegration('up', [
      { name: 'echo', description: 'Echoes.', inputSchema },
      { name: 'fail' },
      { name: 'refuse' },
    ]);
    ({ key } = await harness.addKey());
    people = await People.join(harness);
    await people.addPolicy({ up: ['echo'] });
    gateway = await harness.startGateway();
  }, 120_000);
  afterAll(() => harness.close());

  it('lists tools as both APIs take them', async () => {
    const chat = await tools('?include_tools=up_echo');
    expect(chat).toEqual([
      { type: 'function', function: { name: 'up_echo', description: 'Echoes.', parameters: inputSchema } },
    ]);
    expect(await tools('?format=responses&include_tools=up_echo')).toEqual([
      { type: 'function', name: 'up_echo', description: 'Echoes.', parameters: inputSchema, strict: false },
    ]);
    expect(await tools('', await people.tokenOf('ann'))).toHaveLength(1);
  });

  it('runs a tool call and answers what can be appended to the conversation', async () => {
    for (const credential of [key, await people.tokenOf('ann')]) {
      const { status, body } = await execute('up_echo', '{"n":1}', credential);
      expect([status, body]).toEqual([200, { role: 'tool', tool_call_id: 'c1', content: '{"n":1}' }]);
    }
    const item = { type: 'function_call', call_id: 'c2', name: 'up_echo', arguments: '' };
    const { body } = await post('?format=responses', item);
    expect(body).toEqual({ type: 'function_call_output', call_id: 'c2', output: '{}' });
  });

  it.each([
    ['up_echo', '{"m":1}', 'tool_arguments_invalid'],
    ['up_echo', '{"n":', 'tool_arguments_invalid'],
    ['up_nothing', '{}', 'tool_not_found'],
    ['up_fail', '{"code":"needs_reauth"}', 'needs_reauth'],
    ['up_fail', '{"code":"upstream_unreachable"}', 'upstream_unreachable'],
  ])('lets the model read what went wrong with %s(%s): %s', async (name, args, code) => {
    const { status, body } = await execute(name, args);
    expect([status, body.role, JSON.parse(body.content).code]).toEqual([200, 'tool', code]);
  });

  it('heeds a filter wherever it stands, and refuses one that is misspelt', async () => {
    const call = { id: 'c1', type: 'function', function: { name: 'up_echo', arguments: '{}' } };
    const none = { 'x-bf-mcp-include-clients': '' };
    for (const { body } of [
      await post('', { ...call, include_clients: [] }),
      await post('?include_clients=', call),
      await post('', call, key, none),
    ])
      expect(JSON.parse(body.content).code).toBe('tool_not_found');
    for (const { body } of [
      await post('?include_client=up', call),
      await post('', { ...call, include_client: ['up'] }),
      await post('?include_clients=up', call, key, none),
    ])
      expect(body).toMatchObject({ code: 'invalid_request', status: 400 });
  });

  it('shows the three tools of search mode to a key that asks for it, and calls through them', async () => {
    const searching = await harness.addKey();
    await harness.sql.query(`UPDATE registry.virtual_keys SET tool_mode = 'search' WHERE id = $1`, [
      searching.id,
    ]);
    await harness.registryChanged(searching.id);
    const names = async () =>
      ((await tools('', searching.key)) as { function: { name: string } }[]).map(
        (tool) => tool.function.name,
      );
    await eventually(async () => (await names()).length === 3);
    expect(await names()).toEqual(['search_tools', 'get_tool_details', 'call_tool']);
    const called = await execute('call_tool', '{"name":"up_echo","arguments":{"n":2}}', searching.key);
    expect(called.body).toMatchObject({ role: 'tool', content: '{"n":2}' });
    expect((await execute('up_echo', '{"n":2}', searching.key)).body.content).toContain('search_tools');
    const found = await execute('get_tool_details', '{"names":["up_echo","up_none"]}', searching.key);
    expect(JSON.parse(found.body.content)).toMatchObject({
      tools: [{ name: 'up_echo' }],
      not_found: ['up_none'],
    });
  });

  it('hands a tool’s own refusal on as it is', async () => {
    expect((await execute('up_refuse', '')).body.content).toBe('I cannot.');
  });

  it('answers a problem where the request, and not the tool, is at fault', async () => {
    expect((await execute('up_fail', '{"code":"dependency_unavailable"}')).status).toBe(503);
    expect((await post('', { type: 'function', function: {} })).body.code).toBe('invalid_request');
    expect((await post('?format=xml', {})).status).toBe(400);
    expect((await execute('up_echo', '{}', 'nobody')).status).toBe(401);
  });

  async function tools(query: string, credential = key): Promise<unknown> {
    const answer = await fetch(`${gateway.url}/v1/mcp/tools${query}`, { headers: bearer(credential) });
    return ((await answer.json()) as { tools: unknown }).tools;
  }

  function post(query: string, body: object, credential = key, headers: Record<string, string> = {}) {
    const sent = { ...bearer(credential), ...headers };
    return rpc(`${gateway.url}/v1/mcp/tool/execute${query}`, body, sent);
  }

  function execute(name: string, args: string, credential = key) {
    return post('', { id: 'c1', type: 'function', function: { name, arguments: args } }, credential);
  }
});
