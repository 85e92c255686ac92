import { describe, expect, it, jest } from '@jest/globals';
import { defineTool, textResult } from '@switchyard/testing';
import { call, closing, failureOf, pair } from '../../test/sessions.js';

describe('progress', () => {
  it.each(['legacy', 'modern'] as const)('comes in order, before the result (%s)', async (era) => {
    const { session } = await pair({ era });
    const steps: unknown[] = [];
    await call(session, 'slow', { ms: 40, steps: 3 }, { onProgress: (step: unknown) => steps.push(step) });
    expect(steps).toEqual([1, 2, 3].map((progress) => ({ progress, total: 3, message: `step ${progress}` })));
  });
});

describe('log messages', () => {
  it.each(['legacy', 'modern'] as const)(
    'come to the call on whose stream they are sent (%s)',
    async (era) => {
      const chatty = defineTool(
        'chatty',
        { properties: { id: { type: 'string' } } },
        async ({ ctx, args }) => {
          await ctx.mcpReq.log('warning', { id: args['id'] }, 'chat');
          return textResult('done');
        },
      );
      const { session } = await pair({ era, tools: [chatty], capabilities: { logging: {} } });
      const logs: Record<string, unknown[]> = { a: [], b: [] };
      await Promise.all(
        ['a', 'b'].map((id) =>
          call(session, 'chatty', { id }, { onLog: (message: unknown) => logs[id]!.push(message) }),
        ),
      );
      for (const id of ['a', 'b'])
        expect(logs[id]).toEqual([{ level: 'warning', logger: 'chat', data: { id } }]);
    },
  );
});

describe('passing on', () => {
  const odd = {
    content: [
      { type: 'text', text: 'hi', unknownField: 1, _meta: { k: 'v' } },
      { type: 'image', data: 'AAAA', mimeType: 'image/png', annotations: { audience: ['user'] } },
      { type: 'resource', resource: { uri: 'test://a', text: 'x', extra: true } },
      { type: 'resource_link', uri: 'test://b', name: 'b', size: 3 },
      { type: 'hologram', anything: [1, null] },
    ],
    structuredContent: { nested: { deep: [1, 2, { three: null }] } },
    isError: false,
    vendorField: { kept: true },
    _meta: { 'com.example/trace': [1] },
  };

  it.each(['legacy', 'modern'] as const)(
    'changes nothing of a result that the SDK does not know (%s)',
    async (era) => {
      const { session, upstream } = await pair({ era });
      const sent = {
        ...odd,
        _meta: { ...odd._meta, 'io.modelcontextprotocol/serverInfo': { name: 'x', version: '1' } },
      };
      const result = era === 'modern' ? { ...sent, resultType: 'complete' } : sent;
      upstream.failNext({ method: 'tools/call', respond: ({ id }) => ({ jsonrpc: '2.0', id, result }) });
      expect(await call(session, 'echo', { message: 'x' })).toEqual(odd);
    },
  );

  it.each(['legacy', 'modern'] as const)(
    'lets a result through that its output schema forbids (%s)',
    async (era) => {
      const { session, upstream } = await pair({ era });
      const tools = await session.listTools({ timeoutMs: 5000 });
      const result = { resultType: 'complete', content: [], structuredContent: { sum: 'not a number' } };
      upstream.failNext({ method: 'tools/call', respond: ({ id }) => ({ jsonrpc: '2.0', id, result }) });
      const { resultType: _, ...expected } = result;
      expect(await call(session, 'add', {}, { tool: tools.find(({ name }) => name === 'add') })).toEqual(
        expected,
      );
    },
  );

  it.each(['legacy', 'modern'] as const)(
    'keeps unknown fields of tools, and loses no list for one odd tool (%s)',
    async (era) => {
      const { session, upstream } = await pair({ era });
      const tools = [
        {
          name: 'a',
          inputSchema: { type: 'object', $defs: { x: {} }, 'x-vendor': 1 },
          icons: [{ src: 'https://a/b.png', odd: 1 }],
          vendor: { y: 1 },
        },
        { name: 'no-type', inputSchema: { anyOf: [{}] } },
        { description: 'nameless', inputSchema: { type: 'object' } },
        'not even an object',
      ];
      const result = { resultType: 'complete', tools, ttlMs: 0, cacheScope: 'private' };
      upstream.failNext({ method: 'tools/list', respond: ({ id }) => ({ jsonrpc: '2.0', id, result }) });
      expect(await session.listTools({ timeoutMs: 5000 })).toEqual(tools.slice(0, 2));
    },
  );

  it.each([
    ['no object', 'text'],
    ['content that is no list', { content: 'text' }],
    ['a demand for input that demands nothing', { resultType: 'input_required' }],
    ['an unknown type', { resultType: 'postponed' }],
  ])('refuses a result that is %s', async (_, result) => {
    const { session, upstream } = await pair({ era: 'modern' });
    upstream.failNext({ method: 'tools/call', respond: ({ id }) => ({ jsonrpc: '2.0', id, result }) });
    expect(await failureOf(call(session, 'echo', {}, { timeoutMs: 1000 }))).toMatchObject({
      failureClass: 'answered',
      error: { code: 'upstream_protocol_error' },
    });
  });
});

describe('x-mcp-header', () => {
  const region = { region: { type: 'string', 'x-mcp-header': 'Region' } };

  it('mirrors arguments into headers, by the definition that comes with the call', async () => {
    const seen = defineTool('seen', { properties: region }, ({ ctx }) =>
      textResult(String(ctx.http?.req?.headers.get('mcp-param-region'))),
    );
    const { session } = await pair({ era: 'modern', tools: [seen] });
    const [tool] = await session.listTools({ timeoutMs: 5000 });
    expect(await call(session, 'seen', { region: 'eu-1' }, { tool })).toEqual(textResult('eu-1'));
  });

  it('finds the definition by itself where the call brings none and the server insists', async () => {
    const seen = defineTool('seen', { properties: region }, ({ ctx }) =>
      textResult(String(ctx.http?.req?.headers.get('mcp-param-region'))),
    );
    const { session, upstream } = await pair({ era: 'modern', tools: [seen] });
    const error = { code: -32020, message: 'Header mismatch' };
    upstream.failNext({
      method: 'tools/call',
      status: 400,
      respond: ({ id }) => ({ jsonrpc: '2.0', id, error }),
    });
    expect(await call(session, 'seen', { region: 'eu-1' })).toEqual(textResult('eu-1'));
  });

  it('leaves out tools whose declaration is invalid', async () => {
    const warning = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
    closing.push(() => warning.mockRestore());
    const bad = defineTool(
      'bad',
      { properties: { region: { type: 'array', 'x-mcp-header': 'Region' } } },
      () => textResult(''),
    );
    const good = defineTool('good', { properties: region }, () => textResult(''));
    const { session } = await pair({ era: 'modern', tools: [bad, good] });
    expect((await session.listTools({ timeoutMs: 5000 })).map(({ name }) => name)).toEqual(['good']);
  });
});
