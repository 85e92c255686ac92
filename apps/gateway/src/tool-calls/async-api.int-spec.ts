import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type ToolCallJob, topics } from '@switchyard/contracts';
import { onBothQueueBackends } from '@switchyard/testing';
import { bearer, rpc, until } from '../gateway-client-spec.js';
import { GatewayHarness, type TestGateway } from '../gateway-harness-spec.js';

onBothQueueBackends('the async API', (backend) => {
  let harness: GatewayHarness;
  let gateway: TestGateway;
  let key: string;
  let cancelled: string[];
  const taken: ToolCallJob[] = [];

  beforeAll(async () => {
    harness = await GatewayHarness.open(backend);
    harness.work(async (job) => {
      taken.push(job);
      await end(job);
    });
    cancelled = harness.takeCancellations();
    await harness.addIntegration('up', [
      { name: 'echo', inputSchema: { type: 'object', properties: { n: { type: 'number' } } } },
      { name: 'hold' },
    ]);
    ({ key } = await harness.addKey());
    gateway = await harness.startGateway();
  }, 120_000);
  afterAll(() => harness.close());

  it('accepts a call, runs it in the background lane, and gives its result to whoever asks later', async () => {
    const created = await create({ tool: 'up_echo', arguments: { n: 1 }, deadline_ms: 600_000 });
    expect(created).toMatchObject({ status: 202, body: { status: 'accepted' } });
    expect(created.headers.get('location')).toBe(`/api/tool-calls/${created.body.call_id}`);
    const call = await ended(created.body.call_id);
    expect(call).toMatchObject({
      call_id: created.body.call_id,
      status: 'completed',
      method: 'tools/call',
      tool: 'up_echo',
      integration: 'up',
      arguments: { n: 1 },
      result: { content: [{ type: 'text', text: 'ran' }] },
      auth_path: 'static',
      duration_ms: expect.any(Number),
    });
    const job = taken.find(({ sealed }) => sealed.call.callId === created.body.call_id);
    expect(job?.sealed.call).toMatchObject({ lane: 'background', ledgerFirst: true });
    expect(Date.parse(call.deadline_at) - Date.parse(call.accepted_at)).toBe(600_000);
  });

  it('reaches no tool that the request itself leaves out', async () => {
    for (const filter of [
      { include_clients: [] },
      { exclude_tools: ['up_echo'] },
      { include_tools: ['up_hold'] },
    ])
      expect((await create({ tool: 'up_echo', ...filter })).status).toBe(404);
    expect((await create({ tool: 'up_echo', include_tools: ['up_*'] })).status).toBe(202);
    expect((await create({ tool: 'up_echo', include_tools: 'up_*' })).status).toBe(400);
    const none = { 'x-bf-mcp-include-clients': '' };
    expect((await create({ tool: 'up_echo' }, none)).status).toBe(404);
    expect((await create({ tool: 'up_echo' }, {}, '?exclude_tools=up_echo')).status).toBe(404);
    for (const wrong of [
      await create({ tool: 'up_echo' }, {}, '?include_client=up'),
      await create({ tool: 'up_echo' }, { 'x-bf-mcp-include-client': 'up' }),
      await create({ tool: 'up_echo', include_clients: [] }, none),
    ])
      expect(wrong.body).toMatchObject({
        code: 'invalid_request',
        detail: expect.stringMatching(/include.client/),
      });
  });

  it('shows the error of a call that failed', async () => {
    const { body } = await create({ tool: 'up_hold' });
    await harness.sql.query(
      `UPDATE dispatch.tool_calls SET status = 'failed', ended_at = now(), error_code = 'upstream_unreachable',
         error_message = 'It is away.', error_details = '{"attempts":3}', retry_after_ms = 500 WHERE call_id = $1`,
      [body.call_id],
    );
    expect(await read(body.call_id)).toMatchObject({
      status: 'failed',
      result: null,
      error: {
        code: 'upstream_unreachable',
        message: 'It is away.',
        call_id: body.call_id,
        retry_after_ms: 500,
        details: { attempts: 3 },
        next: expect.any(String),
      },
    });
  });

  it('gives the first call again for the same key and arguments, by header or body, and refuses others', async () => {
    const wanted = { tool: 'up_echo', arguments: { n: 7 } };
    const first = await create({ ...wanted, idempotency_key: 'order-7' });
    await ended(first.body.call_id);
    const again = await create(wanted, { 'idempotency-key': 'order-7' });
    expect([again.status, again.body]).toEqual([202, { call_id: first.body.call_id, status: 'completed' }]);
    const other = await create({ ...wanted, arguments: { n: 8 }, idempotency_key: 'order-7' });
    expect([other.status, other.body.code]).toEqual([409, 'idempotency_conflict']);
    const two = await create({ ...wanted, idempotency_key: 'a' }, { 'idempotency-key': 'b' });
    expect([two.status, two.body.code]).toEqual([400, 'invalid_request']);
  });

  it.each([
    ['no tool', {}, 400, 'invalid_request'],
    ['an unknown field', { tool: 'up_echo', priority: 1 }, 400, 'invalid_request'],
    ['a deadline of more than a day', { tool: 'up_echo', deadline_ms: 86_400_001 }, 400, 'invalid_request'],
    ['an unknown tool', { tool: 'up_nothing' }, 404, 'tool_not_found'],
    ['wrong arguments', { tool: 'up_echo', arguments: { n: 'x' } }, 400, 'tool_arguments_invalid'],
  ])('refuses %s before anything is accepted', async (_name, body, status, code) => {
    const before = await count();
    const answer = await create(body);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(await count()).toEqual(before);
  });

  it('names the argument that is wrong', async () => {
    const answer = await create({ tool: 'up_echo', arguments: { n: 'x' } });
    expect(answer.body.errors).toEqual([{ path: '/n', message: 'must be number' }]);
  });

  it('lists own calls, newest first, page by page, by status and tool', async () => {
    const { key: fresh } = await harness.addKey();
    const ids: string[] = [];
    await until(async () => expect((await create({ tool: 'up_nothing' }, bearer(fresh))).status).toBe(404));
    for (const tool of ['up_echo', 'up_hold', 'up_echo', 'up_hold', 'up_echo']) {
      ids.unshift((await create({ tool }, bearer(fresh))).body.call_id);
    }
    await until(async () => expect((await list('?status=completed', fresh)).items).toHaveLength(3));
    const first = await list('?limit=2', fresh);
    const second = await list(`?limit=2&cursor=${first.next_cursor}`, fresh);
    const third = await list(`?limit=2&cursor=${second.next_cursor}`, fresh);
    const pages = [first, second, third].map(({ items }) => items.map((item) => item.call_id));
    expect(pages).toEqual([ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)]);
    expect(third.next_cursor).toBeNull();
    expect((await list('?tool=up_hold', fresh)).items.map((item) => item.call_id)).toEqual([ids[1], ids[3]]);
    expect(first.items[0]).not.toHaveProperty('arguments');
    const bad = await fetch(`${gateway.url}/api/tool-calls?cursor=x`, { headers: bearer(fresh) });
    expect(bad.status).toBe(400);
  });

  it('cancels a call, says so again, and refuses to cancel what has ended', async () => {
    const { body } = await create({ tool: 'up_hold' });
    const first = await cancel(body.call_id);
    expect([first.status, await first.json()]).toEqual([200, { call_id: body.call_id, status: 'cancelled' }]);
    expect(cancelled).toContain(body.call_id);
    await harness.sql.query(
      `UPDATE dispatch.tool_calls SET status = 'cancelled', ended_at = now() WHERE call_id = $1`,
      [body.call_id],
    );
    expect((await cancel(body.call_id)).status).toBe(200);
  });

  it.each(['not-an-id', '01890000-0000-7000-8000-000000000001'])('knows no call %s', async (id) => {
    const answers = [
      await fetch(`${gateway.url}/api/tool-calls/${id}`, { headers: bearer(key) }),
      await cancel(id),
    ];
    for (const answer of answers) {
      expect(answer.status).toBe(404);
      expect(await answer.json()).toMatchObject({ code: 'not_found' });
    }
  });

  it('shows a key no call of another key of the same organization', async () => {
    const { body } = await create({ tool: 'up_echo' });
    const { key: other } = await harness.addKey();
    await until(async () => {
      const answer = await fetch(`${gateway.url}/api/tool-calls/${body.call_id}`, { headers: bearer(other) });
      expect(answer.status).toBe(404);
    });
    expect((await cancel(body.call_id, other)).status).toBe(404);
    expect(cancelled).not.toContain(body.call_id);
  });

  it('keeps anonymous callers among themselves', async () => {
    const open = await harness.startGateway({ GATEWAY_ENFORCE_AUTH_ON_INFERENCE: 'false' });
    const { body: keyed } = await create({ tool: 'up_echo' });
    const { body } = await rpc(`${open.url}/api/tool-calls`, { tool: 'up_echo' });
    expect((await fetch(`${open.url}/api/tool-calls/${body.call_id}`)).status).toBe(200);
    expect((await fetch(`${open.url}/api/tool-calls/${keyed.call_id}`)).status).toBe(404);
    expect((await fetch(`${open.url}/api/tool-calls/${body.call_id}`, { headers: bearer(key) })).status).toBe(
      404,
    );
  });

  /** Dispatch, as far as the API can see it. */
  async function end({ sealed }: ToolCallJob): Promise<void> {
    const { callId, tool } = sealed.call;
    if (tool === 'hold') return;
    await harness.sql.query(
      `UPDATE dispatch.tool_calls SET status = 'completed', auth_path = 'static', ended_at = now(), is_error = false,
         result = '{"content":[{"type":"text","text":"ran"}]}', result_bytes = 44 WHERE call_id = $1`,
      [callId],
    );
    await harness.queue.publish(topics.toolCallEnded, { callId });
  }

  function create(body: object, headers: Record<string, string> = {}, query = '') {
    return rpc(`${gateway.url}/api/tool-calls${query}`, body, { ...bearer(key), ...headers });
  }

  async function read(id: string): Promise<any> {
    return (await fetch(`${gateway.url}/api/tool-calls/${id}`, { headers: bearer(key) })).json();
  }

  async function ended(id: string): Promise<any> {
    await until(async () => expect((await read(id)).ended_at).not.toBeNull());
    return read(id);
  }

  async function list(query: string, vk: string): Promise<{ items: any[]; next_cursor: string | null }> {
    const response = await fetch(`${gateway.url}/api/tool-calls${query}`, { headers: bearer(vk) });
    return response.json() as Promise<{ items: any[]; next_cursor: string | null }>;
  }

  function cancel(id: string, vk = key): Promise<Response> {
    return fetch(`${gateway.url}/api/tool-calls/${id}/cancel`, { method: 'POST', headers: bearer(vk) });
  }

  async function count(): Promise<unknown> {
    return (await harness.sql.query('SELECT count(*) FROM dispatch.tool_calls'))[0];
  }
});
