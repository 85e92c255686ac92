import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { queues } from '@switchyard/contracts';
import type { RunningService } from '@switchyard/service-kit';
import { eventually, onBothQueueBackends } from '@switchyard/testing';
import { RunnerHarness } from '../runner-harness-spec.js';
import { ClaimsRepository } from '../runs/claims.repository.js';
import { unattendedCaller } from '../runs/unattended-caller.js';

/** Nobody lets go of a run by himself within a test. */
const longLease = { AGENT_RUNNER_LEASE_MS: '60s' };

onBothQueueBackends('several runners', (backend) => {
  let harness: RunnerHarness;
  const services: RunningService[] = [];

  beforeAll(async () => {
    harness = await RunnerHarness.open(backend);
    await harness.addTools(['add']);
  }, 120_000);
  beforeEach(() => {
    harness.sent.length = 0;
    harness.leases.length = 0;
    harness.act = async () => ({ text: 'ran' });
    script();
  });
  afterEach(async () => {
    for (const service of services.splice(0)) await harness.stopRunner(service);
  });
  afterAll(() => harness.close());

  const script = (delay_ms = 0) =>
    harness.script([
      { when: { step: 0 }, answer: { delay_ms, tool_calls: [{ name: 'up_add' }] } },
      { when: { step: 1 }, answer: { text: 'Done.' } },
    ]);
  const startRunner = async (overrides?: Record<string, string>) => {
    const service = await harness.startRunner(overrides);
    services.push(service);
    return service;
  };
  /** As time does, where a runner is gone. */
  const expireLease = (runId: string) =>
    harness.sql.query(
      `UPDATE runs.runs SET lease_until = now() - interval '1 second', next_sweep_at = now() WHERE id = $1`,
      [runId],
    );

  it('drive each run once, however many jobs of it there are', async () => {
    await startRunner();
    await startRunner();
    const agent = harness.addAgent();
    const runIds = await Promise.all(Array.from({ length: 10 }, (_, n) => harness.start(agent, `run ${n}`)));
    await harness.queue.enqueueMany(
      queues.agentRuns,
      runIds.flatMap((runId) =>
        Array.from({ length: 5 }, (_, n) => ({
          jobId: `${runId}-again${n}`,
          payload: { v: 1 as const, runId, orgId: harness.orgId },
        })),
      ),
    );
    for (const runId of runIds) expect((await harness.ended(runId)).run.state).toBe('completed');
    expect(harness.sent).toHaveLength(10);
    expect(harness.model.requests()).toHaveLength(20);
  });

  it('ask the model nothing of a run that another has taken over while they waited for its key', async () => {
    const goOn = Promise.withResolvers<void>();
    harness.beforeLease = () => goOn.promise;
    // Its one slot is taken: the run is the other's to take over.
    const first = await startRunner({ ...longLease, AGENT_RUNNER_CONCURRENCY: '1' });
    const runId = await harness.start(harness.addAgent());
    await eventually(() => harness.leases.length > 0);
    harness.beforeLease = () => Promise.resolve();
    await startRunner(longLease);
    await expireLease(runId);
    expect((await harness.ended(runId)).run.state).toBe('completed');
    goOn.resolve();
    await harness.stopRunner(first);
    services.shift();
    expect(harness.model.requests()).toHaveLength(2);
  });

  it('write nothing of a run that another has taken over meanwhile', async () => {
    script(700);
    await startRunner(longLease);
    const runId = await harness.start(harness.addAgent());
    await eventually(() => harness.model.requests().length === 1);
    await startRunner(longLease);
    await expireLease(runId);
    const { run, steps, calls } = await harness.ended(runId);
    expect(run).toMatchObject({ state: 'completed', output: { text: 'Done.' } });
    // The slow answer was asked for twice, as nobody can know that the first runner lives; one of the two counts.
    expect(harness.model.requests()).toHaveLength(3);
    expect([steps.length, calls.length, harness.sent.length]).toEqual([2, 1, 1]);
    expect(harness.sent[0]?.sealed.call.callId).toBe(calls[0]?.callId);
  });

  it('lose a run and take it again themselves, while a tool works', async () => {
    const hold = Promise.withResolvers<{ text: string }>();
    harness.act = () => hold.promise;
    await startRunner(longLease);
    const runId = await harness.start(harness.addAgent());
    await eventually(() => harness.sent.length === 1);
    await expireLease(runId);
    await eventually(async () => {
      const [row] = await harness.sql.query<{ fence: number }>('SELECT fence FROM runs.runs WHERE id = $1', [
        runId,
      ]);
      return row?.fence === 2;
    });
    // The process waits for the call twice: it does not know yet that it lost the first claim.
    hold.resolve({ text: 'ran' });
    expect((await harness.ended(runId)).run.output).toMatchObject({ text: 'Done.' });
    expect(harness.sent).toHaveLength(1);
    expect(harness.model.requests()).toHaveLength(2);
  });

  it('go on with a run that another hands back when it ends, while a tool still works', async () => {
    const hold = Promise.withResolvers<{ text: string }>();
    harness.act = () => hold.promise;
    const first = await startRunner(longLease);
    const runId = await harness.start(harness.addAgent());
    await eventually(() => harness.sent.length === 1);
    services.length = 0;
    await harness.stopRunner(first);
    expect((await harness.data(runId)).run.state).toBe('queued');
    await startRunner();
    await harness.reaches(runId, 'running');
    hold.resolve({ text: 'late' });
    const { calls } = await harness.ended(runId);
    expect(calls[0]?.outcome).toMatchObject({ status: 'completed' });
    expect(harness.sent).toHaveLength(1);
    expect(harness.model.requests()).toHaveLength(2);
  });

  it('give up a run that kills whoever takes it', async () => {
    const runId = await harness.start(harness.addAgent());
    await harness.sql.query('UPDATE runs.runs SET claims_without_progress = 10 WHERE id = $1', [runId]);
    await startRunner();
    expect((await harness.ended(runId)).run).toMatchObject({ state: 'failed', error: { code: 'internal' } });
    expect(harness.model.requests()).toHaveLength(0);
  });

  it('give it up with what it waits for: nobody may approve a call of it any more', async () => {
    await startRunner();
    const runId = await harness.start(harness.addAgent({ execution: { default: 'require_approval' } }));
    const { calls: asked } = await harness.reaches(runId, 'waiting_approval');
    await harness.sql.query(
      `UPDATE runs.runs SET claims_without_progress = 10, state = 'queued', next_sweep_at = now() WHERE id = $1`,
      [runId],
    );
    const { run, calls } = await harness.ended(runId);
    expect(run.state).toBe('failed');
    expect(calls).toMatchObject([{ state: 'ended', outcome: { status: 'cancelled' } }]);
    await expect(harness.decide(asked[0]?.callId ?? '', true)).rejects.toThrow('does not wait');
  });

  it('keep no chat waiting behind runs at which nobody is there', async () => {
    const hold = Promise.withResolvers<{ text: string }>();
    harness.act = ({ sealed }) =>
      sealed.call.caller.runKind === 'webhook' ? hold.promise : Promise.resolve({ text: 'ran' });
    await startRunner({ AGENT_RUNNER_CONCURRENCY: '1', AGENT_RUNNER_BACKGROUND_CONCURRENCY: '1' });
    const agent = await harness.addAgent();
    const caller = unattendedCaller('webhook', { orgId: harness.orgId, agentId: agent.id });
    const burst = [1, 2, 3].map(() => harness.start(agent, 'go', { caller }));
    const [first = ''] = await Promise.all(burst);
    await eventually(() => harness.sent.length === 1);
    expect((await harness.ended(await harness.start(agent))).run.state).toBe('completed');
    expect((await harness.data(first)).run.state).not.toBe('completed');
    hold.resolve({ text: 'late' });
    for (const runId of await Promise.all(burst)) await harness.ended(runId);
  });

  it('give an organization all slots where no other has agents', async () => {
    const hold = Promise.withResolvers<{ text: string }>();
    harness.act = () => hold.promise;
    await startRunner({ AGENT_RUNNER_CONCURRENCY: '2' });
    const agent = await harness.addAgent();
    const alone = await Promise.all([harness.start(agent), harness.start(agent)]);
    await eventually(() => harness.sent.length === 2);
    hold.resolve({ text: 'late' });
    for (const id of alone) expect((await harness.ended(id)).run.state).toBe('completed');
  });

  it('keep an organization’s chat waiting behind no crowd of another’s', async () => {
    const hold = Promise.withResolvers<{ text: string }>();
    harness.act = () => hold.promise;
    await startRunner({ AGENT_RUNNER_CONCURRENCY: '4' });
    const agent = await harness.addAgent();
    const orgId = await harness.addOrganization('bystanders');
    const others = await harness.addAgent({ orgId });
    const crowd = await Promise.all(Array.from({ length: 12 }, () => harness.start(agent)));
    await eventually(() => harness.sent.length === 2);
    script();
    const caller = harness.caller({ orgId });
    const runId = await harness.start(others, 'go', { caller });
    await eventually(async () => {
      const [row] = await harness.sql.query<{ state: string }>('SELECT state FROM runs.runs WHERE id = $1', [
        runId,
      ]);
      return row?.state === 'completed';
    });
    expect(harness.sent).toHaveLength(2);
    hold.resolve({ text: 'late' });
    for (const id of crowd) expect((await harness.ended(id)).run.state).toBe('completed');
  });

  it('look at waiting runs of all organizations in turn', async () => {
    const agent = await harness.addAgent();
    const orgId = await harness.addOrganization('latecomers');
    const caller = harness.caller({ orgId });
    const crowd = await Promise.all(Array.from({ length: 5 }, () => harness.start(agent)));
    const late = await harness.start(await harness.addAgent({ orgId }), 'go', { caller });
    await harness.sql.query(
      `UPDATE runs.runs SET next_sweep_at = now() - CASE id WHEN $1 THEN interval '1 s' ELSE interval '1 h' END
       WHERE ended_at IS NULL`,
      [late],
    );
    const due = await new ClaimsRepository(harness.sql).takeDue(2);
    expect(due.map((run) => run.runId).sort()).toEqual([[...crowd].sort()[0], late].sort());
    await harness.sql.query(
      `UPDATE runs.runs SET state = 'cancelled', ended_at = now() WHERE ended_at IS NULL`,
    );
  });

  it('find a run whose job the queue lost', async () => {
    const runId = await harness.start(harness.addAgent());
    expect(await harness.queue.remove(queues.agentRuns, `${runId}-0`)).toBe(true);
    await harness.sql.query('UPDATE runs.runs SET next_sweep_at = now() WHERE id = $1', [runId]);
    await startRunner();
    expect((await harness.ended(runId)).run.state).toBe('completed');
  });
});
