import { describe, expect, it } from '@jest/globals';
import { defineTool, eventually, fixtureTools, textResult, type FixtureOptions } from '@switchyard/testing';
import { call, connect, failureOf, pair, target, upstreamOf } from '../../test/sessions.js';

describe.each<[string, FixtureOptions]>([
  ['legacy, answers as events', { era: 'legacy', responses: 'sse' }],
  ['legacy, answers as JSON', { era: 'legacy', responses: 'json' }],
  ['modern', { era: 'modern' }],
  ['both eras', { era: 'both' }],
])('a session with an upstream that is %s', (_, options) => {
  const isModern = options.era !== 'legacy';

  it('negotiates the era and describes the server', async () => {
    const { session } = await pair(options);
    expect(session.upstream).toEqual({
      era: isModern ? 'modern' : 'legacy',
      protocolVersion: isModern ? '2026-07-28' : '2025-11-25',
      serverName: 'fixture-upstream',
      serverVersion: '1.0.0',
      instructions: 'A server for tests.',
      capabilities: { tools: { listChanged: true } },
    });
  });

  it('calls tools, with structured content and errors as the upstream gave them', async () => {
    const { session } = await pair(options);
    expect(await call(session, 'echo', { message: 'hi' })).toEqual(textResult('Echo: hi'));
    const sum = { content: [{ type: 'text', text: '{"sum":3}' }], structuredContent: { sum: 3 } };
    expect(await call(session, 'add', { a: 1, b: 2 })).toEqual(sum);
    expect(await call(session, 'fail')).toEqual({
      ...textResult('The tool failed on purpose.'),
      isError: true,
    });
  });

  it('lists 5,000 tools in one go, in order', async () => {
    const { session } = await pair({ ...options, generated: 5000, pageSize: 50 });
    const tools = await session.listTools({ timeoutMs: 20_000 });
    const names = tools.map(({ name }) => name);
    expect(names.length).toBe(fixtureTools().length + 5000);
    expect(names.at(-1)).toBe('tool-5000');
    expect(new Set(names).size).toBe(names.length);
  });

  it('refuses a list that never ends', async () => {
    const { session } = await pair({ ...options, endlessList: true });
    expect(await failureOf(session.listTools({ timeoutMs: 5000 }))).toMatchObject({
      failureClass: 'answered',
      error: { code: 'upstream_protocol_error', details: { reason: 'list_never_ends' } },
    });
  });

  it('tells a protocol error with the upstream’s code and message', async () => {
    const { session } = await pair(options);
    expect(await failureOf(call(session, 'protocol-error'))).toMatchObject({
      failureClass: 'answered',
      error: {
        code: 'upstream_protocol_error',
        details: {
          upstream_code: -32050,
          upstream_message: 'The upstream refused on purpose.',
          upstream_data: { hint: 'none' },
        },
      },
    });
  });

  it('hands the trace on, in _meta and as a header, and drops what belongs to the hop', async () => {
    const { session } = await pair(options);
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const meta = {
      'com.example/tenant': 'acme',
      progressToken: 7,
      'io.modelcontextprotocol/protocolVersion': '1999-01-01',
    };
    const result = await call(session, 'whoami', {}, { traceparent, meta });
    const seen = result['structuredContent'] as {
      headers: Record<string, string>;
      meta: Record<string, unknown>;
    };
    expect(seen.headers['traceparent']).toBe(traceparent);
    expect(seen.meta).toEqual({ traceparent, 'com.example/tenant': 'acme' });
  });

  it('waits no longer than the deadline, and tells the upstream', async () => {
    const { session, upstream } = await pair(options);
    const failure = await failureOf(call(session, 'hang', {}, { timeoutMs: 300 }));
    expect(failure).toMatchObject({ failureClass: 'sent_no_answer', error: { code: 'deadline_exceeded' } });
    await eventually(() => upstream.callsOf('hang-cancelled').length === 1);
    expect(await call(session, 'echo', { message: 'on' })).toEqual(textResult('Echo: on'));
  });

  it('cancels a call, and the upstream learns of it', async () => {
    const { session, upstream } = await pair(options);
    const abort = new AbortController();
    const failing = failureOf(call(session, 'hang', {}, { signal: abort.signal }));
    await eventually(() => upstream.callsOf('hang').length === 1);
    abort.abort();
    expect(await failing).toMatchObject({ failureClass: 'sent_no_answer', error: { code: 'cancelled' } });
    await eventually(() => upstream.callsOf('hang-cancelled').length === 1);
  });

  it('sends nothing when the caller has given up before', async () => {
    const { session, upstream } = await pair(options);
    const failure = await failureOf(call(session, 'count-side-effect', {}, { signal: AbortSignal.abort() }));
    expect(failure).toMatchObject({ failureClass: 'not_sent', error: { code: 'cancelled' } });
    expect(upstream.calls).toEqual([]);
  });

  it('knows no answer from a request that may have had its effect', async () => {
    const { session, upstream } = await pair(options);
    for (const drop of ['unhandled', 'handled', 'mid-answer'] as const) {
      upstream.failNext({ drop, method: 'tools/call' });
      expect(await failureOf(call(session, 'count-side-effect', { id: drop }))).toMatchObject({
        failureClass: 'sent_no_answer',
        error: { code: 'upstream_unreachable' },
      });
    }
    expect(upstream.calls.map(({ arguments: args }) => args['id'])).toEqual(['handled', 'mid-answer']);
  });

  it('reads the status of a refusal', async () => {
    const { session, upstream } = await pair(options);
    const refusals: [number, Record<string, string>, object][] = [
      [401, {}, { failureClass: 'not_sent', error: { code: 'upstream_denied' } }],
      [403, {}, { failureClass: 'answered', error: { code: 'upstream_denied' } }],
      [
        429,
        { 'retry-after': '3' },
        { failureClass: 'not_sent', error: { code: 'upstream_rate_limited', retryAfterMs: 3000 } },
      ],
      [
        503,
        { 'retry-after': '1' },
        { failureClass: 'not_sent', error: { code: 'upstream_rate_limited', retryAfterMs: 1000 } },
      ],
      [503, {}, { failureClass: 'sent_no_answer', error: { code: 'upstream_unreachable' } }],
      [500, {}, { failureClass: 'sent_no_answer', error: { code: 'upstream_unreachable' } }],
      [418, {}, { failureClass: 'answered', error: { code: 'upstream_protocol_error' } }],
    ];
    for (const [status, headers, expected] of refusals) {
      upstream.failNext({ status, headers, body: 'no', method: 'tools/call' });
      expect(await failureOf(call(session, 'count-side-effect'))).toMatchObject(expected);
    }
    expect(upstream.calls).toEqual([]);
  });

  it('takes no answer beyond the limit', async () => {
    const upstream = await upstreamOf(options);
    const session = await connect(target(upstream.url), { maxBodyBytes: 1024 * 1024 });
    expect(await failureOf(call(session, 'big', { bytes: 2 * 1024 * 1024 }))).toMatchObject({
      failureClass: 'answered',
      error: { code: 'result_too_large', details: { limit_bytes: 1024 * 1024 } },
    });
    expect(await call(session, 'big', { bytes: 10 })).toEqual(textResult('x'.repeat(10)));
  });

  it('answers every one of many calls side by side with its own result', async () => {
    const { session } = await pair(options);
    const messages = Array.from({ length: 300 }, (__, index) => `m${index}`);
    const results = await Promise.all(messages.map((message) => call(session, 'echo', { message })));
    expect(results).toEqual(messages.map((message) => textResult(`Echo: ${message}`)));
  });

  it('pings', async () => {
    const { session, upstream } = await pair(options);
    await session.ping({ timeoutMs: 10_000 });
    await upstream.close();
    expect(await failureOf(session.ping({ timeoutMs: 10_000 }))).toMatchObject({ failureClass: 'not_sent' });
  });

  it('tells when the tools change', async () => {
    const { session, upstream } = await pair(options);
    let changes = 0;
    session.onListsChanged(() => changes++);
    const heard = options.era === 'legacy' ? 'GET' : 'subscriptions/listen';
    await eventually(() => upstream.requests.includes(heard));
    await eventually(async () => {
      await upstream.setTools([...fixtureTools(), defineTool('new', {}, () => textResult('new'))]);
      return changes > 0;
    });
    expect((await session.listTools({ timeoutMs: 5000 })).some(({ name }) => name === 'new')).toBe(true);
  });

  it('tells it again when the stream broke, since a change may have been missed', async () => {
    const { session, upstream } = await pair(options);
    let changes = 0;
    session.onListsChanged(() => changes++);
    const heard = options.era === 'legacy' ? 'GET' : 'subscriptions/listen';
    await eventually(() => upstream.requests.includes(heard));
    upstream.dropConnections();
    await eventually(() => changes > 0);
  });
});
