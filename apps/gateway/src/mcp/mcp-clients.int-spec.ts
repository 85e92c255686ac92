import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { currentTraceparent } from '@switchyard/service-kit';
import { onBothQueueBackends } from '@switchyard/testing';
import { bearer, completed, rpc, textResult } from '../gateway-client-spec.js';
import { GatewayHarness, type TestGateway, type Worker } from '../gateway-harness-spec.js';

const richResult = {
  content: [
    { type: 'text', text: 'hi', annotations: { audience: ['user'] } },
    { type: 'image', data: 'aGk=', mimeType: 'image/png' },
    { type: 'resource', resource: { uri: 'file:///a', text: 'A' } },
    { type: 'resource_link', uri: 'file:///b', name: 'b' },
  ],
  structuredContent: { n: 1 },
  _meta: { 'com.example/trace': 'x' },
};

const echo = {
  name: 'echo',
  title: 'Echo',
  inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
  annotations: { readOnlyHint: true },
};

const worker: Worker = async (job, context) => {
  const { tool } = job.sealed.call;
  if (tool === 'trace') return completed(job, textResult(currentTraceparent() ?? 'none'));
  if (tool === 'rich') return completed(job, richResult);
  if (tool === 'fail') return completed(job, { content: [{ type: 'text', text: 'no' }], isError: true });
  if (tool.startsWith('denied')) {
    const error = { code: 'upstream_denied', message: 'It refused.', details: { hint: 'key' } } as const;
    return { callId: job.sealed.call.callId, authPath: null, status: 'failed', error };
  }
  if (tool === 'steps') {
    for (const progress of [1, 2, 2, 3])
      context.emit({ kind: 'progress', progress, total: 3, message: `step ${progress}` });
  }
  return completed(job, textResult(JSON.stringify({ args: job.arguments, meta: job.meta ?? null })));
};

onBothQueueBackends('MCP clients', (backend) => {
  let harness: GatewayHarness;
  let gateway: TestGateway;
  let key: string;

  beforeAll(async () => {
    harness = await GatewayHarness.open(backend);
    harness.work(worker);
    await harness.addIntegration('up', [
      echo,
      { name: 'rich', outputSchema: { type: 'object', properties: { n: { type: 'number' } } } },
      { name: 'fail' },
      { name: 'steps' },
      { name: 'trace' },
      { name: 'denied' },
      {
        name: 'denied_typed',
        outputSchema: { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] },
      },
    ]);
    ({ key } = await harness.addKey());
    gateway = await harness.startGateway();
  }, 120_000);
  afterAll(() => harness.close());

  for (const era of ['legacy', 'modern'] as const) {
    it(`lists tools under their outward names to a ${era} client`, async () => {
      const client = await connect(era);
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).toEqual([
        'up_denied',
        'up_denied_typed',
        'up_echo',
        'up_fail',
        'up_rich',
        'up_steps',
        'up_trace',
      ]);
      expect(tools.find(({ name }) => name === 'up_echo')).toEqual({ ...echo, name: 'up_echo' });
    });

    it(`hands results on to a ${era} client, unchanged but for URIs that it can read here`, async () => {
      const client = await connect(era);
      await client.listTools();
      const result: any = await client.callTool({ name: 'up_rich', arguments: {} });
      const [text, image, resource, link] = richResult.content;
      expect(result).toMatchObject({
        ...richResult,
        content: [
          text,
          image,
          { ...resource, resource: { uri: 'sy.up+file:///a', text: 'A' } },
          { ...link, uri: 'sy.up+file:///b' },
        ],
      });
      expect(await client.callTool({ name: 'up_fail', arguments: {} })).toMatchObject({
        content: [{ type: 'text', text: 'no' }],
        isError: true,
      });
    });

    it(`relays progress with the ${era} client's own token`, async () => {
      const client = await connect(era);
      const seen: unknown[] = [];
      await client.callTool(
        { name: 'up_steps', arguments: {} },
        ...progressOptions(era, (p) => seen.push(p)),
      );
      expect(seen).toEqual(
        [1, 2, 3].map((progress) => ({ progress, total: 3, message: `step ${progress}` })),
      );
    });

    it(`tells a ${era} client of a failed call as a result that it accepts`, async () => {
      const client = await connect(era);
      await client.listTools();
      const result = await client.callTool({ name: 'up_denied', arguments: {} });
      expect(result).toMatchObject({
        isError: true,
        structuredContent: { code: 'upstream_denied', message: 'It refused.', details: { hint: 'key' } },
      });
      const typed = await client.callTool({ name: 'up_denied_typed', arguments: {} });
      expect(typed).toMatchObject({
        isError: true,
        _meta: { 'io.switchyard/error': { code: 'upstream_denied' } },
      });
      expect(typed).not.toHaveProperty('structuredContent');
    });

    it(`answers a ${era} client's wrong arguments with an error result that says what is wrong`, async () => {
      const client = await connect(era);
      const result = await client.callTool({ name: 'up_echo', arguments: { text: 1 } });
      expect(result).toMatchObject({
        isError: true,
        structuredContent: {
          code: 'tool_arguments_invalid',
          details: { errors: [{ path: '/text', message: 'must be string' }] },
        },
      });
    });

    it(`answers a ${era} client's unknown tool with a protocol error`, async () => {
      const client = await connect(era);
      await expect(client.callTool({ name: 'up_nothing', arguments: {} })).rejects.toMatchObject({
        code: -32602,
        data: { code: 'tool_not_found' },
      });
    });
  }

  it('negotiates the newest revision that each client knows', async () => {
    const versions = await Promise.all(
      ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05', '1999-01-01'].map(async (protocolVersion) => {
        const params = { protocolVersion, capabilities: {}, clientInfo: { name: 'x', version: '1' } };
        const answer = await rpc(
          gateway.mcpUrl,
          { jsonrpc: '2.0', id: 1, method: 'initialize', params },
          bearer(key),
        );
        expect(answer.headers.get('mcp-session-id')).toMatch(/^[\x21-\x7e]+$/);
        return answer.body.result.protocolVersion;
      }),
    );
    expect(versions).toEqual(['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05', '2025-11-25']);
    const modern = await harness.modernClient(gateway.mcpUrl, key);
    expect(modern.getNegotiatedProtocolVersion()).toBe('2026-07-28');
    const legacy = await harness.legacyClient(gateway.mcpUrl, key);
    for (const client of [modern, legacy])
      expect(client.getServerCapabilities()).toEqual({
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { listChanged: true, subscribe: true },
        completions: {},
        logging: {},
      });
  });

  it('answers ping', async () => {
    const client = await harness.legacyClient(gateway.mcpUrl, key);
    await expect(client.ping()).resolves.toEqual({});
  });

  it('serves a session’s requests at any replica', async () => {
    const other = await harness.startGateway();
    const params = {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'x', version: '1' },
    };
    const opened = await rpc(
      gateway.mcpUrl,
      { jsonrpc: '2.0', id: 1, method: 'initialize', params },
      bearer(key),
    );
    const session = { ...bearer(key), 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
    const call = {
      jsonrpc: '2.0',
      id: 2,
      method: 'tools/call',
      params: { name: 'up_echo', arguments: { text: 'x' } },
    };
    const answer = await rpc(other.mcpUrl, call, session);
    expect(answer.body.result.content).toEqual([{ type: 'text', text: '{"args":{"text":"x"},"meta":null}' }]);
  });

  it('forwards what is meant for the tool in _meta, and keeps the rest', async () => {
    const _meta = { 'com.example/tenant': 'a', progressToken: 7, 'io.modelcontextprotocol/x': 1 };
    const params = { name: 'up_echo', arguments: { text: 'x' }, _meta };
    const answer = await rpc(
      gateway.mcpUrl,
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params },
      bearer(key),
    );
    expect(JSON.parse(answer.body.result.content[0].text).meta).toEqual({ 'com.example/tenant': 'a' });
  });

  it.each(['header', '_meta'])('hands the trace of the %s on with the job', async (where) => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
    const params = { name: 'up_trace', arguments: {}, ...(where === '_meta' && { _meta: { traceparent } }) };
    const headers = { ...bearer(key), ...(where === 'header' && { traceparent }) };
    const answer = await rpc(
      gateway.mcpUrl,
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params },
      headers,
    );
    expect(answer.body.result.content[0].text).toMatch(new RegExp(`^00-${traceId}-`));
  });

  it('counts calls by face and outcome', async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${gateway.service.opsPort}/metrics`)).text();
    expect(metrics).toMatch(/gateway_calls_total\{face="mcp",outcome="completed"\} \d+/);
    expect(metrics).toMatch(/gateway_call_step_seconds_count\{step="await"\} \d+/);
    const ready = await fetch(`http://127.0.0.1:${gateway.service.opsPort}/readyz`);
    expect(await ready.json()).toMatchObject({ checks: { snapshot: true, queue: true, database: true } });
  });

  function connect(era: 'legacy' | 'modern') {
    return era === 'legacy'
      ? harness.legacyClient(gateway.mcpUrl, key)
      : harness.modernClient(gateway.mcpUrl, key);
  }
});

/** SDK 1.x has a result schema before the options. */
function progressOptions(era: 'legacy' | 'modern', onprogress: (progress: unknown) => void): never[] {
  return (era === 'legacy' ? [undefined, { onprogress }] : [{ onprogress }]) as never[];
}
