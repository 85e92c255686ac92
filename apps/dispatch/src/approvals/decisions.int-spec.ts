import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type Decider, queues, topics, toolCallQueue } from '@switchyard/contracts';
import { sealToolCall } from '@switchyard/queue';
import { eventually, onBothQueueBackends } from '@switchyard/testing';
import { ApprovalsBench } from './approvals-harness-spec.js';

const admin = { decider: { kind: 'admin' } } as const;

onBothQueueBackends('a call that waits for approval', (backend) => {
  let bench: ApprovalsBench;
  beforeAll(async () => {
    bench = await ApprovalsBench.open(backend);
    await bench.startWorker();
  }, 120_000);
  afterAll(() => bench?.close());

  const unsafe = (id: string, more: object = {}) =>
    bench.ask('up_count-side-effect', { args: { id }, ...more });

  it('runs once it is approved, as what was asked, with the time that it was given', async () => {
    const decided: unknown[] = [];
    const stop = await bench.harness.queue.subscribe(
      topics.approvalDecided,
      (news) => void decided.push(news),
    );
    const job = await unsafe('approved', { runMs: 7_000 });
    expect(await bench.standing(job)).toMatchObject({ state: 'pending', status: 'awaiting_approval' });
    const { callId, acceptedAt } = job.sealed.call;
    expect(await bench.decide(job, admin)).toEqual({
      status: 'decided',
      state: 'approved',
      callState: 'queued',
    });
    const row = await bench.ended(job);
    expect(row).toMatchObject({ status: 'completed', arguments: { id: 'approved' } });
    expect((row['accepted_at'] as Date).getTime()).toBe(acceptedAt);
    const waited = (row['deadline_at'] as Date).getTime() - (row['started_at'] as Date).getTime();
    expect(waited).toBeGreaterThan(3_000);
    expect(waited).toBeLessThanOrEqual(7_000);
    expect(bench.timesRun('approved')).toBe(1);
    await eventually(() => decided.some((news) => (news as { callId: string }).callId === callId));
    await stop();
  });

  it('is used once: a second decision is refused, whoever takes it', async () => {
    const job = await unsafe('once');
    await bench.decide(job, admin);
    await bench.ended(job);
    for (const approved of [true, false])
      expect(await bench.decide(job, { ...admin, approved })).toMatchObject({
        status: 'refused',
        error: { code: 'conflict', details: { state: 'approved' } },
      });
    expect(bench.timesRun('once')).toBe(1);
  });

  it('ends when it is denied, and tells why', async () => {
    const ended: string[] = [];
    const stop = await bench.harness.queue.subscribe(
      topics.toolCallEnded,
      ({ callId }) => void ended.push(callId),
    );
    const job = await unsafe('denied');
    const answer = await bench.decide(job, { ...admin, approved: false, reason: 'Not\0 on a Friday.' });
    expect(answer).toEqual({ status: 'decided', state: 'denied', callState: 'denied' });
    const message = expect.stringContaining('Reason: Not on a Friday.');
    expect(await bench.ended(job)).toMatchObject({
      status: 'denied',
      ...{
        error_code: 'approval_denied',
        error_message: message,
        error_details: { reason: 'Not on a Friday.' },
      },
    });
    expect(await bench.decide(job, admin)).toMatchObject({ status: 'refused', error: { code: 'conflict' } });
    await eventually(() => ended.includes(job.sealed.call.callId));
    expect(bench.timesRun('denied')).toBe(0);
    await stop();
  });

  it('expires when nobody decides in time, and then nobody can', async () => {
    const decided: string[] = [];
    const stop = await bench.harness.queue.subscribe(
      topics.approvalDecided,
      ({ callId }) => void decided.push(callId),
    );
    const job = await unsafe('late', { expiresMs: 200 });
    expect(await bench.ended(job)).toMatchObject({ status: 'expired', error_code: 'approval_expired' });
    expect(await bench.standing(job)).toMatchObject({ state: 'expired' });
    expect(await bench.decide(job, admin)).toMatchObject({ error: { code: 'approval_expired' } });
    await eventually(() => decided.includes(job.sealed.call.callId));
    await stop();
  });

  it('can be cancelled, which ends its approval', async () => {
    const job = await unsafe('cancelled');
    const { callId, caller } = job.sealed.call;
    const request = { v: 1, callId, orgId: caller.orgId } as const;
    expect(
      await bench.harness.queue.request(queues.toolCallCancellations, request, { timeoutMs: 30_000 }),
    ).toEqual({ status: 'done', state: 'cancelled' });
    expect(await bench.standing(job)).toMatchObject({ state: 'cancelled', status: 'cancelled' });
    expect(await bench.decide(job, admin)).toMatchObject({ error: { code: 'conflict' } });
  });

  it('is not there for a decider of another organization', async () => {
    const job = await unsafe('foreign');
    expect(await bench.decide(job, { ...admin, orgId: randomUUID() })).toMatchObject({
      error: { code: 'not_found' },
    });
    expect(await bench.standing(job)).toMatchObject({ state: 'pending' });
  });

  it('is not started by its own job, come from wherever', async () => {
    const job = await unsafe('smuggled');
    const { callId, lane } = job.sealed.call;
    const queue = toolCallQueue(lane);
    for (const jobId of [callId, `${callId}-r1`])
      await bench.harness.queue.enqueue(
        queue,
        { ...job, round: jobId === callId ? 0 : 1 },
        { jobId, correlationId: callId },
      );
    // A seal that says that the call needs no row, or has more time, is none.
    const forged = { call: { ...job.sealed.call, ledgerFirst: false }, seal: job.sealed.seal };
    await bench.harness.queue.enqueue(
      queue,
      { ...job, sealed: forged },
      { jobId: `${callId}-x`, correlationId: callId },
    );
    await bench.harness.call(bench.integrationId, 'up_echo', { message: 'behind them' });
    await eventually(async () => (await bench.harness.queue.counts(queue)).waiting === 0);
    expect(await bench.standing(job)).toMatchObject({
      state: 'pending',
      status: 'awaiting_approval',
      started_at: null,
    });
    expect(bench.timesRun('smuggled')).toBe(0);
    await bench.decide(job, admin);
    await bench.ended(job);
    expect(bench.timesRun('smuggled')).toBe(1);
  });

  it('does not run by its old seal after it was denied', async () => {
    const job = await unsafe('buried');
    await bench.decide(job, { ...admin, approved: false });
    const outcome = await bench.harness.send(job);
    expect(outcome).toMatchObject({ status: 'denied', error: { code: 'approval_denied' } });
    expect(bench.timesRun('buried')).toBe(0);
  });

  it('is one call for one idempotency key', async () => {
    const first = await unsafe('keyed', { idempotencyKey: 'k' });
    const again = await unsafe('keyed', { idempotencyKey: 'k' });
    expect(await bench.standing(first)).toMatchObject({ state: 'pending' });
    expect(await bench.standing(again)).toBeUndefined();
  });

  it('is brought to its end by the sweeper when its job was lost', async () => {
    const job = await unsafe('lost', { runMs: 60_000 });
    const { callId } = job.sealed.call;
    // As a worker leaves it that dies between the commit and the queue.
    await bench.harness.sql.query(
      `WITH decided AS (UPDATE dispatch.approvals SET state = 'approved', decided_at = now(), decided_by_kind = 'admin'
         WHERE call_id = $1)
       UPDATE dispatch.tool_calls SET status = 'queued', sealed = $2, next_sweep_at = now() WHERE call_id = $1`,
      [
        callId,
        JSON.stringify(
          sealToolCall(bench.harness.sealer, { ...job.sealed.call, deadlineAt: Date.now() + 60_000 }),
        ),
      ],
    );
    expect(await bench.ended(job)).toMatchObject({ status: 'completed' });
    expect(bench.timesRun('lost')).toBe(1);
  });

  it('says again what was decided, to a decision whose worker died before it said so', async () => {
    const job = await unsafe('said-again');
    await bench.decide(job, admin);
    await bench.ended(job);
    const { callId, caller } = job.sealed.call;
    const decision = {
      v: 1,
      orgId: caller.orgId,
      callId,
      ...admin,
      reason: null,
      argumentsSha256: null,
    } as const;
    expect(await bench.approvals.decide({ ...decision, approved: true }, true)).toEqual({
      ...{ status: 'decided', state: 'approved', callState: 'completed' },
    });
    expect(await bench.approvals.decide({ ...decision, approved: false }, true)).toMatchObject({
      status: 'refused',
    });
    expect(bench.timesRun('said-again')).toBe(1);
  });

  it('has one decision, and runs once or never, where two people decide about 50 at the same time', async () => {
    const [ann, bob] = [await bench.userId('ann'), await bench.userId('bob')];
    const terms = { approverUserIds: [ann, bob] };
    const ids = Array.from({ length: 50 }, (_, at) => `contested-${at}`);
    const jobs = await Promise.all(ids.map((id) => unsafe(id, { terms })));
    const by = (userId: string): { decider: Decider } => ({
      decider: { kind: 'user', userId, roles: [], isAdmin: false },
    });
    const answers = await Promise.all(
      jobs.flatMap((job) => [
        bench.decide(job, { ...by(ann), approved: true }),
        bench.decide(job, { ...by(bob), approved: false }),
      ]),
    );
    expect(answers.filter(({ status }) => status === 'decided')).toHaveLength(50);
    for (const [at, job] of jobs.entries()) {
      const row = await bench.ended(job);
      const { state, decided_by: decidedBy } = (await bench.standing(job)) ?? {};
      const isApproved = row['status'] === 'completed';
      expect({ state, decidedBy, status: row['status'], runs: bench.timesRun(ids[at] ?? '') }).toEqual(
        isApproved
          ? { state: 'approved', decidedBy: ann, status: 'completed', runs: 1 }
          : { state: 'denied', decidedBy: bob, status: 'denied', runs: 0 },
      );
    }
  }, 90_000);
});
