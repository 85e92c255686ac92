import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type ToolCallJob, topics } from '@switchyard/contracts';
import { onBothQueueBackends } from '@switchyard/testing';
import { bearer, completed, rpc, textResult, until } from '../gateway-client-spec.js';
import { GatewayHarness, type TestGateway, type Worker } from '../gateway-harness-spec.js';

onBothQueueBackends('outcomes of calls', (backend) => {
  let harness: GatewayHarness;
  let gateway: TestGateway;
  let key: string;
  /** What the worker does next; nobody takes jobs before the first is set. */
  let worker: Worker = () => Promise.resolve();

  beforeAll(async () => {
    harness = await GatewayHarness.open(backend);
    await harness.addIntegration(
      'up',
      [{ name: 'unsafe' }, { name: 'safe', annotations: { readOnlyHint: true } }],
      {
        columns: { deadline_ms: 800 },
      },
    );
    await harness.addIntegration('down', [{ name: 'echo' }], { state: 'disconnected' });
    ({ key } = await harness.addKey({ grants: { up: ['*'], down: ['*'] } }));
    gateway = await harness.startGateway({ GATEWAY_DEADLINE_GRACE: '200ms' });
  }, 120_000);
  afterAll(async () => {
    await harness.queue.close({ limitMs: 0 });
    await harness.close();
  });

  it('a call that no worker took by its deadline is expired, taken out of the queue and recorded', async () => {
    const error = await errorOf('up_unsafe');
    expect(error).toMatchObject({ code: 'deadline_exceeded', call_id: expect.any(String) });
    expect(await statusOf(error.call_id)).toBe('expired');
    const waiting: ToolCallJob[] = [];
    worker = (job) => Promise.resolve(void waiting.push(job));
    harness.work((job, context) => worker(job, context));
    worker = (job) => Promise.resolve(completed(job, textResult('ran')));
    expect((await call('up_safe')).body.result.content).toEqual([{ type: 'text', text: 'ran' }]);
    expect(waiting).toEqual([]);
  });

  it('a call that runs at its deadline is unknown where the tool has side effects, and failed where not', async () => {
    worker = async (job, context) => {
      await fence(job);
      await lost(context.signal);
    };
    expect(await errorOf('up_unsafe')).toMatchObject({
      code: 'outcome_unknown',
      next: expect.stringContaining('vendor'),
    });
    expect(await errorOf('up_safe')).toMatchObject({ code: 'deadline_exceeded' });
  });

  it('a call whose answer was lost has the outcome that its row tells', async () => {
    worker = async (job, context) => {
      await fence(job);
      await harness.sql.query(
        `UPDATE dispatch.tool_calls SET status = 'completed', ended_at = now(), result = '{"content":[],"structuredContent":{"from":"ledger"}}' WHERE call_id = $1`,
        [job.sealed.call.callId],
      );
      await lost(context.signal);
    };
    expect((await call('up_unsafe')).body.result).toEqual({
      content: [],
      structuredContent: { from: 'ledger' },
    });
  });

  it('a call whose worker broke is failed, and unknown if it had begun', async () => {
    worker = () => Promise.reject(new Error('broken'));
    expect(await errorOf('up_safe')).toMatchObject({ code: 'internal' });
    worker = async (job) => {
      await fence(job);
      throw new Error('broken');
    };
    expect(await errorOf('up_unsafe')).toMatchObject({ code: 'outcome_unknown' });
  });

  it('a tool of a disconnected integration says so, to those who are granted it', async () => {
    expect(await errorOf('down_echo')).toMatchObject({
      code: 'integration_unavailable',
      details: { integration: 'down' },
    });
    const stranger = await harness.addKey();
    await until(async () => {
      const answer = await call('down_echo', bearer(stranger.key));
      expect(answer.body.error).toMatchObject({ code: -32602, data: { code: 'tool_not_found' } });
    });
  });

  it('the same Idempotency-Key with the same arguments gives the first call’s result, while it runs and after', async () => {
    let runs = 0;
    const mayEnd = Promise.withResolvers<void>();
    worker = async (job) => {
      runs++;
      await fence(job);
      await mayEnd.promise;
      await ends(job, 'once');
      return completed(job, textResult('once'));
    };
    const headers = { ...bearer(key), 'idempotency-key': 'abc' };
    const first = call('up_safe', headers, { a: 1, b: 2 });
    await until(() => expect(runs).toBe(1));
    const second = call('up_safe', headers, { b: 2, a: 1 });
    mayEnd.resolve();
    const answers = [await first, await second, await call('up_safe', headers, { a: 1, b: 2 })];
    expect(answers.map(({ body }) => body.result.content[0].text)).toEqual(['once', 'once', 'once']);
    expect(runs).toBe(1);
    const other = await call('up_safe', headers, { a: 2 });
    expect(other.body.result).toMatchObject({
      isError: true,
      structuredContent: { code: 'idempotency_conflict' },
    });
    const otherTool = await call('up_unsafe', headers, { a: 1, b: 2 });
    expect(otherTool.body.result).toMatchObject({ structuredContent: { code: 'idempotency_conflict' } });
  });

  it('the same Idempotency-Key of another virtual key is another call', async () => {
    const other = await harness.addKey();
    worker = (job) =>
      Promise.resolve(completed(job, textResult(String(job.sealed.call.caller.virtualKeyId))));
    await until(async () => {
      const answer = await call('up_safe', { ...bearer(other.key), 'idempotency-key': 'abc' });
      expect(answer.body.result.content[0].text).toBe(other.id);
    });
  });

  it('an unusable Idempotency-Key is refused', async () => {
    const answer = await call('up_safe', { ...bearer(key), 'idempotency-key': 'a'.repeat(256) });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  it('every job carries the call sealed, with its caller, lane, deadline and digest', async () => {
    const seen = Promise.withResolvers<ToolCallJob>();
    worker = (job) => {
      seen.resolve(job);
      return Promise.resolve(completed(job, textResult('ran')));
    };
    await call('up_safe', bearer(key), { a: 1 });
    const { call: sealed } = (await seen.promise).sealed;
    expect(sealed).toMatchObject({
      tool: 'safe',
      outwardName: 'up_safe',
      lane: 'interactive',
      ledgerFirst: false,
    });
    expect(sealed.caller).toMatchObject({ kind: 'service', runKind: 'mcp', userId: null });
    expect(sealed.deadlineAt - sealed.acceptedAt).toBe(800);
  });

  /** Never answers. */
  function lost(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  /** A worker writes its fence. */
  async function fence(job: ToolCallJob): Promise<void> {
    const { call: facts } = job.sealed;
    const safe = facts.tool === 'safe';
    await harness.sql.query(
      `INSERT INTO dispatch.tool_calls (call_id, org_id, integration_id, tool, outward_name, status, lane, run_kind, caller_kind,
         virtual_key_id, ledger_first, safe, arguments_sha256, accepted_at, deadline_at, started_at)
       VALUES ($1, $2, $3, $4, $5, 'running', $6, $7, $8, $9, $10, $11, $12, now(), to_timestamp($13::float8 / 1000), now())
       ON CONFLICT (call_id) DO UPDATE SET status = 'running', started_at = now(), safe = excluded.safe`,
      [
        facts.callId,
        facts.caller.orgId,
        facts.integrationId,
        facts.tool,
        facts.outwardName,
        facts.lane,
        facts.caller.runKind,
        facts.caller.kind,
        facts.caller.virtualKeyId,
        facts.ledgerFirst,
        safe,
        facts.argumentsSha256,
        facts.deadlineAt,
      ],
    );
  }

  async function ends(job: ToolCallJob, text: string): Promise<void> {
    const { callId } = job.sealed.call;
    await harness.sql.query(
      `UPDATE dispatch.tool_calls SET status = 'completed', ended_at = now(), result = $2 WHERE call_id = $1`,
      [callId, JSON.stringify(textResult(text))],
    );
    await harness.queue.publish(topics.toolCallEnded, { callId });
  }

  async function statusOf(callId: string): Promise<string | undefined> {
    const rows = await harness.sql.query<{ status: string }>(
      'SELECT status FROM dispatch.tool_calls WHERE call_id = $1',
      [callId],
    );
    return rows[0]?.status;
  }

  function call(name: string, headers: Record<string, string> = bearer(key), args: object = {}) {
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } };
    return rpc(gateway.mcpUrl, message, headers);
  }

  async function errorOf(name: string) {
    const { body } = await call(name);
    expect(body.result).toMatchObject({ isError: true });
    return body.result.structuredContent;
  }
});
