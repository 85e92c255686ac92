import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ToolCallJob } from '@switchyard/contracts';
import { testPrefix, testRedisUrl } from '@switchyard/testing';
import { bearer, completed, rpc, textResult, until } from '../gateway-client-spec.js';
import { GatewayHarness, type TestGateway } from '../gateway-harness-spec.js';

const actions = ['create', 'delete', 'list', 'update', 'archive'];
const things = [
  'issue',
  'invoice',
  'contact',
  'calendarEvent',
  'branch',
  'shipment',
  'ticket',
  'payment',
  'page',
  'video',
];
/** 1,000 tools, as servers name them. */
const many = Array.from({ length: 20 }, (_, at) =>
  actions.flatMap((action) =>
    things.map((thing) => ({
      name: `${action}_${thing}_v${at}`,
      description: `${action} one ${thing} of workspace ${at}. It is a tool with a long description, as vendors write them, so that a list of all of them fills the context of a model before it has said a word.`,
      inputSchema: {
        type: 'object',
        properties: {
          workspace: { type: 'string', description: 'Where to look.' },
          dryRun: { type: 'boolean' },
        },
      },
    })),
  ),
).flat();

describe('search mode', () => {
  let harness: GatewayHarness;
  let gateway: TestGateway;
  let key: string;
  let plainKey: string;
  const jobs: ToolCallJob[] = [];

  beforeAll(async () => {
    const url = await testRedisUrl();
    harness = await GatewayHarness.open({ kind: 'redis', prefix: testPrefix(), url: () => url });
    harness.work((job) => {
      jobs.push(job);
      return Promise.resolve(completed(job, textResult('ran')));
    });
    await harness.addIntegration('erp', many);
    await harness.addIntegration('github', [
      { name: 'createPullRequest', description: 'Opens a pull request.' },
      { name: 'secret_merge', description: 'Merges a pull request.' },
      {
        name: 'weather',
        title: 'Forecast',
        description: 'Says whether it rains.',
        inputSchema: { type: 'object', properties: { zipCode: { type: 'string' } }, required: ['zipCode'] },
      },
    ]);
    const grants = { erp: ['*'], github: ['createPullRequest', 'weather'] };
    const searching = await harness.addKey({ grants });
    ({ key } = searching);
    ({ key: plainKey } = await harness.addKey({ grants }));
    await harness.sql.query(`UPDATE registry.virtual_keys SET tool_mode = 'search' WHERE id = $1`, [
      searching.id,
    ]);
    await harness.registryChanged(searching.id);
    gateway = await harness.startGateway();
  }, 120_000);
  afterAll(() => harness.close());

  it('lists three tools in place of a thousand, for a few hundred tokens', async () => {
    const shown = await ask('tools/list', {});
    expect(shown.tools.map(({ name }: { name: string }) => name)).toEqual([
      ...['search_tools', 'get_tool_details', 'call_tool'],
    ]);
    const all = await ask('tools/list', {}, plainKey);
    expect(all.tools).toHaveLength(1_002);
    const tokens = (list: unknown) => JSON.stringify(list).length / 4;
    expect(tokens(shown.tools)).toBeLessThan(450);
    expect(tokens(all.tools)).toBeGreaterThan(80_000);
  });

  it.each([
    ['pull request', 'github_createPullRequest'],
    ['open a new PR: create pull requests', 'github_createPullRequest'],
    ['will it be raining', 'github_weather'],
    ['forecast', 'github_weather'],
    ['zip code', 'github_weather'],
    ['archive the calendar event v7', 'erp_archive_calendarEvent_v7'],
    ['github', 'github_createPullRequest'],
  ])('finds for “%s” first %s', async (query, name) => {
    const { structuredContent: found } = await search({ query });
    expect(found.tools[0].name).toBe(name);
    expect(found.tools.length).toBeLessThanOrEqual(10);
  });

  it('finds nothing that the caller does not have, and says what there is instead', async () => {
    const { structuredContent: merge } = await search({ query: 'secret merge' });
    expect(JSON.stringify(merge)).not.toContain('secret_merge');
    const { structuredContent: none } = await search({ query: 'xylophone' });
    expect(none).toEqual({
      ...{ tools: [], total: 0 },
      sources: expect.arrayContaining([{ name: 'github', tools: 2 }]),
    });
    const { structuredContent: narrow } = await search(
      { query: 'pull request' },
      { 'x-bf-mcp-include-clients': 'erp' },
    );
    expect(narrow.total).toBe(0);
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} };
    const byQuery = (query: string) => rpc(`${gateway.mcpUrl}?${query}`, message, bearer(plainKey));
    expect((await byQuery('include_tools=github_weather')).body.result.tools).toHaveLength(1);
    expect((await byQuery('include_tool=github_weather')).body).toMatchObject({ code: 'invalid_request' });
    for (const query of ['', 'the of and', `'; DROP TABLE x; --`, '!&|():*<->'])
      expect((await search({ query })).isError).toBeUndefined();
  });

  it('gives as many as are asked for, up to thirty, each with a short description', async () => {
    const { structuredContent: found } = await search({ query: 'invoice', limit: 30 });
    expect([found.tools.length, found.total]).toEqual([30, 100]);
    expect(found.tools[0].description.length).toBeLessThanOrEqual(201);
    for (const wrong of [{ query: 'a', limit: 31 }, {}, { query: 'x'.repeat(501) }])
      expect((await search(wrong)).structuredContent).toMatchObject({ code: 'tool_arguments_invalid' });
  });

  it('gives details of the caller’s tools alone', async () => {
    const names = ['github_weather', 'github_secret_merge', 'erp_nothing'];
    const { structuredContent: details } = await call('get_tool_details', { names });
    expect(details.tools).toMatchObject([{ name: 'github_weather', inputSchema: { required: ['zipCode'] } }]);
    expect(details.not_found).toEqual(['github_secret_merge', 'erp_nothing']);
  });

  it('calls tools by call_tool, checked as ever, and by no other way', async () => {
    const args = { zipCode: '10115' };
    const answer = await call('call_tool', { name: 'github_weather', arguments: args });
    expect(answer.content).toEqual([{ type: 'text', text: 'ran' }]);
    expect(jobs.at(-1)).toMatchObject({ arguments: args, sealed: { call: { tool: 'weather' } } });
    const misfit = await call('call_tool', { name: 'github_weather' });
    expect(misfit.structuredContent).toMatchObject({ code: 'tool_arguments_invalid' });
    for (const [name, given] of [
      ['github_weather', args],
      ['call_tool', { name: 'github_secret_merge' }],
      ['call_tool', { name: 'search_tools' }],
    ] as const) {
      const { error } = await send('tools/call', { name, arguments: given });
      const inner = 'name' in given ? given.name : name;
      expect(error).toMatchObject({
        ...{ code: -32602, message: `Unknown tool: ${inner}`, data: { code: 'tool_not_found' } },
      });
    }
    expect((await send('tools/call', { name: 'search_tools' }, plainKey)).error).toMatchObject({
      code: -32602,
    });
  });

  async function send(
    method: string,
    params: object,
    credential = key,
    headers: Record<string, string> = {},
  ) {
    const message = { jsonrpc: '2.0', id: 1, method, params };
    return (await rpc(gateway.mcpUrl, message, { ...bearer(credential), ...headers })).body;
  }

  async function ask(method: string, params: object, credential = key): Promise<any> {
    await until(async () => expect((await send(method, params, credential)).result).toBeDefined());
    return (await send(method, params, credential)).result;
  }

  async function call(name: string, args: object, headers: Record<string, string> = {}): Promise<any> {
    return (await send('tools/call', { name, arguments: args }, key, headers)).result;
  }

  function search(args: object, headers: Record<string, string> = {}): Promise<any> {
    return call('search_tools', args, headers);
  }
});
