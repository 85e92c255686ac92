import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { queues, topics } from '@switchyard/contracts';
import { onBothQueueBackends, eventually, freePort } from '@switchyard/testing';
import { DispatchHarness } from '../dispatch-harness-spec.js';

const echo = { name: 'echo', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } };
const write = { name: 'write', inputSchema: { type: 'object' } };

onBothQueueBackends('a call that reaches no upstream', (backend) => {
  let harness: DispatchHarness;
  let integrationId: string;
  beforeAll(async () => {
    harness = await DispatchHarness.open(backend);
    integrationId = await harness.insertIntegration(
      'up',
      { type: 'http', url: `http://127.0.0.1:${await freePort()}/mcp` },
      [echo, write],
    );
    await harness.startWorker();
  }, 120_000);
  afterAll(() => harness?.close());

  it('is retried and then fails as unreachable, for safe and unsafe tools alike', async () => {
    const outcomes = await Promise.all([
      harness.call(integrationId, 'up_echo'),
      harness.call(integrationId, 'up_write'),
    ]);
    expect(outcomes).toEqual([
      expect.objectContaining({ status: 'failed' }),
      expect.objectContaining({ status: 'failed' }),
    ]);
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ error: { code: 'upstream_unreachable' } });
  });

  it('opens the breaker after five failures, which an admin resets', async () => {
    await eventually(
      async () => {
        expect(await harness.call(integrationId, 'up_echo')).toMatchObject({
          error: { code: 'circuit_open' },
        });
        return true;
      },
      { timeoutMs: 20_000 },
    );
    const [breaker] = await harness.sql.query('SELECT state FROM dispatch.v_breakers');
    expect(breaker).toEqual({ state: 'open' });
    await harness.queue.publish(topics.breakerReset, { integrationId });
    await eventually(async () => {
      expect(await harness.sql.query('SELECT state FROM dispatch.v_breakers')).toEqual([]);
      return true;
    });
  }, 60_000);

  it('is not found when the tool is not there, and says so', async () => {
    expect(await harness.call(integrationId, 'up_missing')).toMatchObject({
      status: 'failed',
      error: { code: 'tool_not_found' },
    });
  });

  it('is refused when its key was revoked or has expired while it waited', async () => {
    const expired = '0197e6a0-0000-7000-8000-00000000e001';
    await harness.insertKey(expired, { expires_at: '2020-01-01' });
    await eventually(async () => {
      expect(await harness.call(integrationId, 'up_echo', {}, { keyId: expired })).toMatchObject({
        error: { code: 'key_revoked' },
      });
      return true;
    });
  });

  it('expires when its deadline passed before it was taken, and has a row that says so', async () => {
    const job = harness.job(integrationId, 'up_write', {}, { deadlineMs: -1 });
    expect(await harness.send(job)).toMatchObject({
      status: 'expired',
      error: { code: 'deadline_exceeded' },
    });
    const row = await harness.ended(job.sealed.call.callId);
    expect(row).toMatchObject({ status: 'expired', started_at: null });
  });

  it.each([
    ['always', { n: 1 }],
    ['never', null],
  ])('that waited too long keeps its arguments as the integration %s does', async (retention, kept) => {
    const transport = { type: 'http', url: 'http://127.0.0.1:9/mcp' } as const;
    const id = await harness.insertIntegration(`kept-${retention}`, transport, [echo], { retention });
    const job = harness.job(id, `kept-${retention}_echo`, { n: 1 }, { ledgerFirst: true, deadlineMs: 300 });
    await harness.accept(job);
    const row = await harness.ended(job.sealed.call.callId);
    expect(row).toMatchObject({ status: 'expired', arguments: kept });
  });

  it('runs nothing when its seal does not fit its arguments or its caller', async () => {
    const genuine = harness.job(integrationId, 'up_write', { a: 1 });
    const otherArguments = { ...genuine, arguments: { a: 2 } };
    const otherCaller = structuredClone(genuine);
    otherCaller.sealed.call.caller.kind = 'anonymous';
    for (const forged of [otherArguments, otherCaller]) {
      await harness.queue.enqueue(queues.toolCallsInteractive, forged, {
        jobId: `${genuine.sealed.call.callId}-x`,
      });
    }
    await harness.call(integrationId, 'up_missing');
    expect(await harness.row(genuine.sealed.call.callId)).toBeUndefined();
  });
});

onBothQueueBackends('accept_call', (backend) => {
  let harness: DispatchHarness;
  let integrationId: string;
  beforeAll(async () => {
    harness = await DispatchHarness.open(backend);
    integrationId = await harness.insertIntegration(
      'up',
      { type: 'http', url: `http://127.0.0.1:${await freePort()}/mcp` },
      [echo],
    );
  }, 120_000);
  afterAll(() => harness?.close());

  it('gives the first call of an idempotency key again, and tells other arguments apart', async () => {
    const first = harness.job(integrationId, 'up_echo', { n: 1 }, { ledgerFirst: true });
    const again = harness.job(integrationId, 'up_echo', { n: 1 }, { ledgerFirst: true });
    const other = harness.job(integrationId, 'up_echo', { n: 2 }, { ledgerFirst: true });
    expect(await harness.accept(first, 'accepted', 'k')).toEqual({
      call_id: first.sealed.call.callId,
      existing: false,
      conflict: false,
    });
    expect(await harness.accept(again, 'accepted', 'k')).toEqual({
      call_id: first.sealed.call.callId,
      existing: true,
      conflict: false,
    });
    expect(await harness.accept(other, 'accepted', 'k')).toEqual({
      call_id: first.sealed.call.callId,
      existing: true,
      conflict: true,
    });
  });

  it('lets one of many callers with the same key be the first', async () => {
    const jobs = Array.from({ length: 20 }, () =>
      harness.job(integrationId, 'up_echo', {}, { ledgerFirst: true }),
    );
    const rows = await Promise.all(jobs.map((job) => harness.accept(job, 'accepted', 'race')));
    expect(rows.filter((row) => row?.existing === false)).toHaveLength(1);
    expect(new Set(rows.map((row) => row?.call_id)).size).toBe(1);
  });

  it('refuses a state in which no call begins', async () => {
    await expect(harness.accept(harness.job(integrationId, 'up_echo'), 'completed')).rejects.toThrow(
      /cannot begin as completed/,
    );
  });

  it('is brought to its end by the sweeper when its job was never enqueued', async () => {
    const job = harness.job(integrationId, 'up_missing', {}, { lane: 'background', ledgerFirst: true });
    await harness.accept(job);
    await harness.startWorker();
    await eventually(async () => {
      expect(await harness.row(job.sealed.call.callId)).toMatchObject({
        status: 'failed',
        error_code: 'tool_not_found',
      });
      return true;
    });
  });
});
