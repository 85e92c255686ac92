import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type ToolCallJob, topics } from '@switchyard/contracts';
import { calmMsOf, onBothQueueBackends } from '@switchyard/testing';
import { bearer, textResult, until } from '../gateway-client-spec.js';
import { EventReader } from '../gateway-events-spec.js';
import { GatewayHarness, type TestGateway } from '../gateway-harness-spec.js';
import { People } from '../gateway-people-spec.js';
import type { CallAnswerBody } from './call-answer.js';

/** What the answers hold, each a part of it. */
type Body = CallAnswerBody & { code: string; count: number; tools: { name: string }[] };

const schema = {
  type: 'object',
  properties: { n: { type: 'number' } },
  required: ['n'],
  additionalProperties: false,
};

onBothQueueBackends('the BFF API', (backend) => {
  let harness: GatewayHarness;
  let gateways: TestGateway[];
  let people: People;
  let ann: string;
  let mail: string;
  const jobs: ToolCallJob[] = [];

  beforeAll(async () => {
    harness = await GatewayHarness.open(backend);
    harness.work(async (job) => {
      jobs.push(job);
      const { callId, tool } = job.sealed.call;
      if (tool === 'hold') await until(async () => expect(await hasEnded(callId)).toBe(true));
      else await end(callId);
    });
    people = await People.join(harness);
    mail = await harness.addIntegration('mail', [
      {
        name: 'read',
        title: 'Read mail',
        description: 'Reads.',
        inputSchema: schema,
        annotations: { readOnlyHint: true },
      },
      { name: 'hold' },
      { name: 'send' },
    ]);
    await harness.addIntegration('away', [{ name: 'x' }], { state: 'disconnected' });
    gateways = await Promise.all([harness.startGateway(), harness.startGateway()]);
    await people.addPolicy({ mail: ['read', 'hold'], away: ['*'] });
    await people.addPolicy({ mail: ['send'] }, null, {
      matchers: [{ path: 'department.name', operator: 'EQUALS', value: 'sales' }],
    });
    ann = await people.tokenOf('ann');
    await until(async () => expect((await tools(ann)).sort()).toEqual(['mail_hold', 'mail_read']));
  }, 120_000);
  afterAll(() => harness.close());

  it('lists what the user’s claims allow, as manifests and as a model provider takes them', async () => {
    const { status, body } = await get('tools', ann);
    expect([status, body.count]).toEqual([200, 2]);
    expect(body.tools[1]).toEqual({
      tool_id: `${mail}:read`,
      name: 'mail_read',
      title: 'Read mail',
      description: 'Reads.',
      input_schema: schema,
      output_schema: null,
      annotations: { readOnlyHint: true },
      source_id: mail,
      source: 'mail',
      tags: ['read-only'],
      version: expect.stringMatching(/^[\da-f]{64}$/),
    });
    const sales = await people.tokenOf('sam', { department: { name: 'sales' } } as never);
    expect(await tools(sales)).toEqual(['mail_hold', 'mail_read', 'mail_send']);
    expect((await get('tools?format=openai&include_tools=mail_read', ann)).body.tools).toEqual([
      { type: 'function', function: { name: 'mail_read', description: 'Reads.', parameters: schema } },
    ]);
    expect((await get('tools?include_clients=', ann)).body.count).toBe(0);
    const none = { 'x-bf-mcp-include-clients': '' };
    expect((await get('tools', ann, gateways[0], none)).body.count).toBe(0);
    for (const wrong of ['format=xml', 'include_client=mail', 'more=1'])
      expect((await get(`tools?${wrong}`, ann)).status).toBe(400);
  });

  it('calls a tool by id, slug and name, ledger first, as the user', async () => {
    for (const named of [
      { tool_id: `${mail}:read` },
      { tool_id: 'mail:read' },
      { tool_id: 'mail_read' },
      { name: 'mail_read' },
      { tool_id: `${mail}:read`, name: 'something else' },
    ]) {
      const { status, body } = await call({ ...named, arguments: { n: 1 } });
      expect([status, body]).toEqual([
        200,
        {
          ...{ tool_id: `${mail}:read`, name: 'mail_read', status: 'completed', error: null },
          ...{ result: textResult('ran'), call_id: expect.any(String), upstream_status: null },
          execution_time_ms: expect.any(Number),
        },
      ]);
    }
    const { call: sealed } = jobs.at(-1)?.sealed ?? {};
    expect(sealed).toMatchObject({ ledgerFirst: true, lane: 'interactive', caller: { runKind: 'bff' } });
    expect((sealed?.deadlineAt ?? 0) - (sealed?.acceptedAt ?? 0)).toBe(300_000);
  });

  it('refuses tools that the user does not have, whatever they are called', async () => {
    for (const id of [`${mail}:send`, 'mail:send', 'mail_send', 'nowhere:read', 'mail:', ':read', `${mail}:`])
      expect((await call({ tool_id: id })).body).toMatchObject({ status: 404, code: 'tool_not_found' });
    expect((await call({ tool_id: 'mail:read', include_clients: [] })).status).toBe(404);
    expect(
      (await call({ tool_id: 'mail:read', arguments: { n: 1 }, exclude_tools: ['mail_*'] })).status,
    ).toBe(404);
    const read = { name: 'mail_read', arguments: { n: 1 } };
    expect((await call(read, {}, '?include_clients=')).status).toBe(404);
    expect((await call(read, { 'x-bf-mcp-exclude-tools': 'mail_read' })).status).toBe(404);
    expect((await call(read, {}, '?include_client=mail')).body).toMatchObject({
      ...{ code: 'invalid_request', detail: expect.stringContaining('include_client') },
    });
    for (const id of ['away:x', 'away_x'])
      expect((await call({ tool_id: id })).body).toMatchObject({
        status: 503,
        code: 'integration_unavailable',
      });
  });

  it('checks arguments unless the caller says no, and names at most five errors', async () => {
    const { status, body } = await call({ name: 'mail_read', arguments: { m: 1 } });
    expect([status, body.code]).toEqual([400, 'tool_arguments_invalid']);
    expect((await call({ name: 'mail_read', arguments: { m: 1 }, validate_schema: null })).status).toBe(400);
    expect(
      (await call({ name: 'mail_read', arguments: { m: 1 }, validate_schema: false })).body,
    ).toMatchObject({
      status: 'completed',
    });
    for (const wrong of [{}, { tool_id: null }, { name: 'a', arguments: [] }, { name: 'a', more: 1 }])
      expect((await call(wrong)).body).toMatchObject({ status: 400, code: 'invalid_request' });
  });

  it('answers pending once the caller’s patience is over, and tells later how the call ended', async () => {
    for (const prefer of ['wait=0', 'respond-async', 'wait=1']) {
      const { status, body, headers } = await call({ name: 'mail_hold' }, { prefer });
      expect([status, body.status, body.result, headers.get('preference-applied')]).toEqual([
        ...[202, 'pending', null, prefer],
      ]);
      expect(headers.get('location')).toBe(`/api/bff/calls/${body.call_id}`);
      expect(body.next).toContain(body.call_id);
      expect((await get(`calls/${body.call_id}`, ann)).body).toMatchObject({ status: 'pending' });
      await until(() => expect(jobs.at(-1)?.sealed.call.callId).toBe(body.call_id));
      await end(body.call_id);
      const later = await get(`calls/${body.call_id}`, ann, gateways[1]);
      expect(later.body).toMatchObject({
        ...{ tool_id: `${mail}:hold`, name: 'mail_hold', status: 'completed', result: textResult('ran') },
      });
    }
  });

  it('shows calls to nobody else', async () => {
    const { body } = await call({ name: 'mail_read', arguments: { n: 1 } });
    const other = await people.tokenOf('bob');
    expect((await get(`calls/${body.call_id}`, other)).status).toBe(404);
    expect((await get('calls/no-uuid', ann)).status).toBe(404);
    expect(
      (await fetch(`${gateways[0]?.url}/api/tool-calls/${body.call_id}`, { headers: bearer(ann) })).status,
    ).toBe(200);
  });

  it('gives the first call again for the same Idempotency-Key, and refuses others', async () => {
    const wanted = { name: 'mail_read', arguments: { n: 7 } };
    const first = await call(wanted, { 'idempotency-key': 'bff-7' });
    const again = await call({ ...wanted, idempotency_key: 'bff-7' });
    expect(again.body).toMatchObject({ status: 'completed', call_id: first.body.call_id });
    const other = await call({ ...wanted, arguments: { n: 8 } }, { 'idempotency-key': 'bff-7' });
    expect([other.status, other.body.code]).toEqual([409, 'idempotency_conflict']);
  });

  it.each([
    ['needs_reauth', 200],
    ['token_exchange_failed', 401],
    ['upstream_unreachable', 503],
    ['circuit_open', 503],
    ['deadline_exceeded', 200],
    ['outcome_unknown', 200],
    ['internal', 500],
  ])('says that a call failed with %s by HTTP %i and the same body', async (code, expected) => {
    const calling = call({ name: 'mail_hold', arguments: { code } }, { prefer: 'wait=20' });
    await until(() => expect(jobs.at(-1)?.arguments).toEqual({ code }));
    const callId = jobs.at(-1)?.sealed.call.callId ?? '';
    await fail(callId, code);
    const { status, body, headers } = await calling;
    expect([status, body.status, body.result]).toEqual([expected, 'failed', null]);
    expect(body.error).toMatchObject({ code, details: { reauth_url: 'https://a' }, call_id: callId });
    expect([body.upstream_status, headers.get('retry-after')]).toEqual([418, '2']);
    expect((await get(`calls/${callId}`, ann)).body).toMatchObject({ status: 'failed', error: { code } });
  });

  it('takes the end user’s token and nothing in its place', async () => {
    const { key } = await harness.addKey();
    for (const headers of [bearer(key), { 'x-api-key': key }, {}, bearer(`${ann}x`)])
      for (const path of ['tools', 'sse', 'calls/00000000-0000-4000-8000-000000000001']) {
        const answer = await fetch(`${gateways[0]?.url}/api/bff/${path}`, { headers });
        const { code, detail, next } = (await answer.json()) as Record<string, string>;
        expect(next).not.toMatch(/key/i);
        expect([answer.status, code]).toEqual([401, 'unauthenticated']);
        expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer resource_metadata=/);
        if (JSON.stringify(headers).includes(key)) expect(detail).toMatch(/no virtual key/);
      }
    const denied = await call({ name: 'mail_read', arguments: { n: 1 } }, bearer(key));
    expect(denied.status).toBe(401);
  });

  it('streams the list on connect and on each change of it, at every replica within two seconds', async () => {
    const token = await people.tokenOf('eve', { team: { name: 'support' } } as never);
    const readers = await Promise.all(gateways.map((gateway) => stream(token, gateway)));
    const narrow = await stream(token, gateways[0], '?include_tools=mail_read');
    for (const reader of readers) {
      expect(reader.response.headers.get('x-accel-buffering')).toBe('no');
      expect(await reader.next('connected')).toMatchObject({ user_id: people.users.get('eve') });
      expect(await reader.next('tool_list')).toMatchObject({ count: 2, timestamp: expect.any(String) });
    }
    const waitedMs = await calmMsOf(async () => {
      await people.addPolicy({ mail: ['send'] }, null, {
        // A claim that no policy asked for when the streams began.
        matchers: [{ path: 'team.name', operator: 'CONTAINS', value: 'upp' }],
      });
      await Promise.all(readers.map((reader) => reader.next('tool_list', 2)));
    });
    expect(waitedMs).toBeLessThan(2_000);
    for (const reader of readers) {
      expect(await reader.next('tool_list', 2)).toMatchObject({ count: 3, reason: 'update' });
      expect(reader.of('tool_list')[1].tools.map((tool: { name: string }) => tool.name)).toContain(
        'mail_send',
      );
    }
    expect(narrow.of('tool_list')).toHaveLength(1);
    for (const reader of [...readers, narrow]) reader.close();
  });

  it('sends heartbeats, and ends with the token and with the user, saying why', async () => {
    const quick = await harness.startGateway({ GATEWAY_BFF_HEARTBEAT: '50ms' });
    const soon = Math.floor(Date.now() / 1_000) + 3;
    const short = await stream(await people.tokenOf('tim', { exp: soon }), quick);
    await short.next('heartbeat', 2);
    expect(await short.next('error')).toMatchObject({ code: 'token_expired', next: expect.any(String) });
    await until(() => expect(short.isOver).toBe(true));
    const gone = await stream(await people.tokenOf('gus'), quick);
    await gone.next('tool_list');
    await people.deactivate('gus');
    expect(await gone.next('error')).toMatchObject({ code: 'user_inactive' });
    const drained = await stream(ann, quick);
    await drained.next('tool_list');
    await quick.service.close();
    expect(await drained.next('error')).toMatchObject({ code: 'dependency_unavailable' });
  });

  it('limits streams, and can be switched off', async () => {
    const small = await harness.startGateway({ GATEWAY_STREAMS_PER_KEY: '1' });
    const first = await stream(ann, small);
    await first.next('connected');
    const second = await stream(ann, small);
    expect([second.response.status, second.response.headers.get('retry-after')]).toEqual([429, '5']);
    first.close();
    const off = await harness.startGateway({ GATEWAY_BFF_ENABLED: 'false', GATEWAY_MCP_ENABLED: 'false' });
    expect((await get('tools', ann, off)).status).toBe(404);
    expect((await fetch(off.mcpUrl, { method: 'POST', headers: bearer(ann) })).status).toBe(404);
  });

  async function get(path: string, token: string, gateway = gateways[0], more: Record<string, string> = {}) {
    const headers = { ...bearer(token), ...more };
    const response = await fetch(`${gateway?.url}/api/bff/${path}`, { headers });
    return { status: response.status, body: (await response.json()) as Body };
  }

  async function tools(token: string): Promise<string[]> {
    return (await get('tools', token)).body.tools.map(({ name }) => name);
  }

  async function call(body: object, headers: Record<string, string> = {}, query = '') {
    const response = await fetch(`${gateways[0]?.url}/api/bff/tools/call${query}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...bearer(ann), ...headers },
      body: JSON.stringify(body),
    });
    return { status: response.status, headers: response.headers, body: (await response.json()) as Body };
  }

  async function stream(token: string, gateway = gateways[0], query = ''): Promise<EventReader> {
    const reader = await EventReader.open(`${gateway?.url}/api/bff/sse${query}`, bearer(token));
    harness.onClose(async () => reader.close());
    return reader;
  }

  /** What dispatch writes when a call ends. */
  async function end(callId: string): Promise<void> {
    await harness.sql.query(
      `UPDATE dispatch.tool_calls SET status = 'completed', ended_at = now(), result = $2, auth_path = 'static'
       WHERE call_id = $1`,
      [callId, JSON.stringify(textResult('ran'))],
    );
    await harness.queue.publish(topics.toolCallEnded, { callId });
  }

  async function hasEnded(callId: string): Promise<boolean> {
    const sql = 'SELECT ended_at FROM dispatch.tool_calls WHERE call_id = $1';
    const [row] = await harness.sql.query<{ ended_at: Date | null }>(sql, [callId]);
    return row?.ended_at !== null;
  }

  async function fail(callId: string, code: string): Promise<void> {
    const status = code === 'outcome_unknown' ? code : 'failed';
    await harness.sql.query(
      `UPDATE dispatch.tool_calls SET status = $2, ended_at = now(), error_code = $3, error_message = 'No.',
         error_details = '{"reauth_url":"https://a","upstream_status":418}', retry_after_ms = 1500 WHERE call_id = $1`,
      [callId, status, code],
    );
    await harness.queue.publish(topics.toolCallEnded, { callId });
  }
});
