import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { queues, toolCallQueue, type ToolCallOutcome, type WireTool } from '@switchyard/contracts';
import {
  eventually,
  onBothQueueBackends,
  startFixtureUpstream,
  type FixtureUpstream,
} from '@switchyard/testing';
import { DispatchHarness } from '../dispatch-harness-spec.js';

function textOf(outcome: ToolCallOutcome): unknown {
  return outcome.status === 'completed' ? outcome.result.content?.[0]?.['text'] : outcome;
}

onBothQueueBackends('a call to a real upstream', (backend) => {
  let harness: DispatchHarness;
  let upstream: FixtureUpstream;
  let up: string;
  let limited: string;
  const tools = (): WireTool[] => upstream.tools().map(({ wire }) => wire as WireTool);

  beforeAll(async () => {
    harness = await DispatchHarness.open(backend);
    upstream = await startFixtureUpstream();
    const transport = { type: 'http' as const, url: upstream.url };
    up = await harness.insertIntegration('up', transport, tools());
    limited = await harness.insertIntegration('limited', transport, tools(), {
      max_concurrency: 1,
      rate_limit: JSON.stringify({ limit: 10, interval_ms: 1_000 }),
      retention: 'never',
    });
    await harness.startWorker();
    await harness.startWorker();
  }, 120_000);
  afterAll(async () => {
    await harness?.close();
    await upstream?.close();
  });
  beforeEach(async () => {
    upstream.clearFaults();
    await harness.sql.query('DELETE FROM dispatch.breakers');
  });

  it('answers, and leaves a row with arguments, result, path and times', async () => {
    const job = harness.job(up, 'up_add', { a: 1, b: 2 });
    expect(await harness.send(job)).toMatchObject({
      status: 'completed',
      authPath: 'none',
      result: { structuredContent: { sum: 3 } },
    });
    const row = await harness.ended(job.sealed.call.callId);
    expect(row).toMatchObject({
      status: 'completed',
      safe: true,
      arguments: { a: 1, b: 2 },
      result: { structuredContent: { sum: 3 } },
      auth_path: 'none',
      is_error: false,
      attempts: 1,
    });
    expect(row?.['started_at']).not.toBeNull();
  });

  it('is completed when the tool answers with an error of its own', async () => {
    const job = harness.job(up, 'up_fail');
    expect(await harness.send(job)).toMatchObject({ status: 'completed', result: { isError: true } });
    expect(await harness.ended(job.sealed.call.callId)).toMatchObject({
      status: 'completed',
      is_error: true,
    });
  });

  it('tells progress in order', async () => {
    const events: unknown[] = [];
    await harness.send(harness.job(up, 'up_slow', { ms: 80, steps: 4 }), (event) => events.push(event));
    expect(events.map((event) => (event as { progress: number }).progress)).toEqual([1, 2, 3, 4]);
  });

  it('fails with the size when the result is over the limit', async () => {
    expect(await harness.call(up, 'up_big', { bytes: 300_000 })).toMatchObject({
      status: 'failed',
      error: { code: 'result_too_large', details: { limit_bytes: 250_000 } },
    });
  });

  it('is unknown, and sent once, when an unsafe tool’s answer is lost', async () => {
    upstream.failNext({ method: 'tools/call', drop: 'handled' });
    const job = harness.job(up, 'up_count-side-effect', { id: 'lost' });
    expect(await harness.send(job)).toMatchObject({
      status: 'outcome_unknown',
      error: { details: { reason: 'connection_lost' } },
    });
    expect(
      upstream.callsOf('count-side-effect').filter(({ arguments: args }) => args['id'] === 'lost'),
    ).toHaveLength(1);
    expect(await harness.ended(job.sealed.call.callId)).toMatchObject({ status: 'outcome_unknown' });
  });

  it('is sent again when a safe tool’s answer is lost', async () => {
    upstream.failNext({ method: 'tools/call', drop: 'handled' });
    expect(textOf(await harness.call(up, 'up_safe-read', { id: 'again' }))).toBe('Read: again');
    expect(
      upstream.callsOf('safe-read').filter(({ arguments: args }) => args['id'] === 'again'),
    ).toHaveLength(2);
  });

  it('waits as long as the upstream says, and then runs, even an unsafe tool', async () => {
    upstream.failNext({ method: 'tools/call', status: 429, headers: { 'retry-after': '1' } });
    const job = harness.job(up, 'up_count-side-effect', { id: 'limited' });
    expect(textOf(await harness.send(job))).toBe('Done: limited');
    expect(
      upstream.callsOf('count-side-effect').filter(({ arguments: args }) => args['id'] === 'limited'),
    ).toHaveLength(1);
    expect(await harness.ended(job.sealed.call.callId)).toMatchObject({ status: 'completed' });
  });

  it('survives an upstream that was restarted on its port', async () => {
    await harness.call(up, 'up_echo', { message: 'before' });
    const { port } = upstream;
    await upstream.close();
    upstream = await startFixtureUpstream({ port });
    expect(textOf(await harness.call(up, 'up_count-side-effect', { id: 'restarted' }))).toBe(
      'Done: restarted',
    );
  });

  it('ends unknown at its deadline when an unsafe tool never answers, and failed when a safe one does not', async () => {
    const [unsafe, safe] = await Promise.all([
      harness.call(up, 'up_hang', {}, { deadlineMs: 700 }),
      harness.call(up, 'up_safe-read', { ms: 5_000 }, { deadlineMs: 700 }),
    ]);
    expect(unsafe).toMatchObject({
      status: 'outcome_unknown',
      error: { details: { reason: 'deadline_exceeded' } },
    });
    expect(safe).toMatchObject({ status: 'failed', error: { code: 'deadline_exceeded' } });
  });

  it('can be cancelled while a safe tool runs, and not while an unsafe one does', async () => {
    const safe = harness.job(up, 'up_safe-read', { ms: 3_000, id: 'cancel' });
    const unsafe = harness.job(up, 'up_count-side-effect', { ms: 800, id: 'cancel' });
    const outcomes = Promise.all([harness.send(safe), harness.send(unsafe)]);
    await eventually(
      () => upstream.calls.filter(({ arguments: args }) => args['id'] === 'cancel').length === 2,
    );
    const cancel = (job: typeof safe) =>
      harness.queue.request(
        queues.toolCallCancellations,
        { v: 1, callId: job.sealed.call.callId, orgId: job.sealed.call.caller.orgId },
        { timeoutMs: 8_000 },
      );
    expect(await cancel(safe)).toEqual({ status: 'done', state: 'cancelled' });
    expect(await cancel(unsafe)).toEqual({ status: 'done', state: 'completed' });
    expect(await outcomes).toEqual([
      expect.objectContaining({ status: 'cancelled' }),
      expect.objectContaining({ status: 'completed' }),
    ]);
  });

  it('never sends what was cancelled while it waited', async () => {
    const job = harness.job(
      up,
      'up_count-side-effect',
      { id: 'never' },
      { lane: 'background', ledgerFirst: true },
    );
    await harness.accept(job);
    const { callId, caller } = job.sealed.call;
    expect(
      await harness.queue.request(
        queues.toolCallCancellations,
        { v: 1, callId, orgId: caller.orgId },
        { timeoutMs: 8_000 },
      ),
    ).toEqual({ status: 'done', state: 'cancelled' });
    expect(await harness.send(job)).toMatchObject({ status: 'cancelled' });
    expect(upstream.calls.filter(({ arguments: args }) => args['id'] === 'never')).toEqual([]);
  });

  it('sends nothing while another worker’s fence stands; where that worker is gone, the sweeper says so and repeats a safe call', async () => {
    for (const [tool, status] of [
      ['up_count-side-effect', 'outcome_unknown'],
      ['up_safe-read', 'completed'],
    ] as const) {
      const job = harness.job(up, tool, { id: 'fenced' }, { lane: 'background', ledgerFirst: true });
      await harness.accept(job);
      await harness.sql.query(
        `UPDATE dispatch.tool_calls SET status = 'running', safe = $2, worker_id = gen_random_uuid() WHERE call_id = $1`,
        [job.sealed.call.callId, status === 'completed'],
      );
      void harness.send(job).catch(() => undefined);
      expect((await harness.ended(job.sealed.call.callId))['status']).toBe(status);
    }
    expect(
      upstream.callsOf('count-side-effect').filter(({ arguments: args }) => args['id'] === 'fenced'),
    ).toEqual([]);
  });

  it('waits at a limit and never fails by it, and a limited integration keeps no bodies when told so', async () => {
    const jobs = Array.from({ length: 12 }, (_, i) =>
      harness.job(limited, 'limited_safe-read', { id: `l${i}`, ms: 20 }),
    );
    const outcomes = await Promise.all(jobs.map((job) => harness.send(job)));
    expect(outcomes.map(({ status }) => status)).toEqual(jobs.map(() => 'completed'));
    const [first] = jobs;
    const row = await harness.ended(first?.sealed.call.callId ?? '');
    expect(row).toMatchObject({ arguments: null, result: null });
    expect(row['result_bytes']).toBeGreaterThan(0);
  });

  it('runs at most as many at once as the limit says, over all workers', async () => {
    const before = upstream.calls.length;
    await Promise.all(
      Array.from({ length: 5 }, (_, i) =>
        harness.call(limited, 'limited_count-side-effect', { id: `c${i}`, ms: 100 }),
      ),
    );
    const starts = upstream.calls
      .slice(before)
      .map(({ at }) => at)
      .toSorted();
    for (let i = 1; i < starts.length; i++)
      expect((starts[i] ?? 0) - (starts[i - 1] ?? 0)).toBeGreaterThanOrEqual(95);
  });

  it('brings accepted calls to their end whose jobs the queue lost', async () => {
    const jobs = Array.from({ length: 30 }, (_, i) =>
      harness.job(up, 'up_count-side-effect', { id: `swept${i}` }, { lane: 'background', ledgerFirst: true }),
    );
    await Promise.all(jobs.map((job) => harness.accept(job)));
    await harness.sql.query(
      'UPDATE dispatch.tool_calls SET next_sweep_at = now() WHERE next_sweep_at IS NOT NULL',
    );
    await eventually(
      async () =>
        (
          await harness.sql.query(
            `SELECT 1 FROM dispatch.tool_calls WHERE status = 'completed' AND arguments->>'id' LIKE 'swept%'`,
          )
        ).length === 30,
      { timeoutMs: 20_000 },
    );
    expect(
      upstream.calls.filter(({ arguments: args }) => String(args['id']).startsWith('swept')),
    ).toHaveLength(30);
    await eventually(async () => (await harness.queue.counts(toolCallQueue('background'))).active === 0);
  });
});
