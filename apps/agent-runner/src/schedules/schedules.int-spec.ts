import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { queues, topics } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import type { RunningService } from '@switchyard/service-kit';
import { eventually, onBothQueueBackends } from '@switchyard/testing';
import { SchedulesRepository } from './schedules.repository.js';
import { Schedules } from './schedules.service.js';
import { RunnerHarness } from '../runner-harness-spec.js';

const minute = 60_000;

onBothQueueBackends('schedules', (backend) => {
  let harness: RunnerHarness;
  const services: RunningService[] = [];

  beforeAll(async () => {
    harness = await RunnerHarness.open(backend);
    await harness.addTools(['add']);
  }, 120_000);
  beforeEach(() => harness.script([{ answer: { text: 'Done: {{last_user}}' } }]));
  afterEach(async () => {
    for (const service of services.splice(0)) await harness.stopRunner(service);
  });
  afterAll(() => harness.close());

  const startRunner = async () => {
    const service = await harness.startRunner();
    services.push(service);
    return service;
  };
  /** Every minute, so that its next time lies ahead; `activeFor` ms of it have passed. */
  const everyMinute = (activeFor: number) => ({
    rule: {
      type: 'interval',
      every_s: 60,
      starts_at: new Date(Date.now() - activeFor + 1_000).toISOString(),
    },
    active_since: new Date(Date.now() - activeFor),
  });
  /** Each run calls a tool, which answers when the test says so. */
  const holdTools = () => {
    const hold = Promise.withResolvers<{ text: string }>();
    harness.act = () => hold.promise;
    harness.script([
      { when: { step: 0 }, answer: { tool_calls: [{ name: 'up_add' }] } },
      { when: { step: 1 }, answer: { text: 'Done.' } },
    ]);
    return hold;
  };
  const runsOf = (scheduleId: string) =>
    harness.sql.query<{ id: string; state: string; scheduled_for: Date | null; is_held: boolean }>(
      'SELECT id, state, scheduled_for, is_held FROM runs.runs WHERE trigger_id = $1 ORDER BY id',
      [scheduleId],
    );
  const timesOf = (scheduleId: string) =>
    harness.sql.query<{ outcome: string; why: string | null; run_id: string | null }>(
      'SELECT outcome, why, run_id FROM runs.schedule_times WHERE schedule_id = $1 ORDER BY due_at',
      [scheduleId],
    );
  const schedulerIds = async () =>
    (await harness.queue.schedulers(queues.agentSchedules)).map(({ id }) => id);
  const ask = (scheduleId: string, reason: 'due' | 'now', orgId = harness.orgId) =>
    harness.queue.request(queues.agentSchedules, { v: 1, orgId, scheduleId, reason }, { timeoutMs: 10_000 });

  it('run at their times, with nobody there, and each time once, however many runners and firings there are', async () => {
    await startRunner();
    await startRunner();
    const agent = await harness.addAgent();
    const id = await harness.addSchedule(agent, { ...everyMinute(2_000), input: 'Look.' });
    const [run] = await eventually(async () => {
      const runs = await runsOf(id);
      if (runs.length === 0) throw new Error('not yet');
      return runs;
    });
    await Promise.all(Array.from({ length: 10 }, () => ask(id, 'due')));
    const { run: ended } = await harness.ended(run?.id ?? '');
    expect(ended).toMatchObject({
      state: 'completed',
      output: { text: 'Done: Look.' },
      caller: { kind: 'service', userId: null, runKind: 'schedule', agentId: agent.id },
    });
    expect(await runsOf(id)).toHaveLength(1);
    expect(await timesOf(id)).toMatchObject([{ outcome: 'started', run_id: run?.id }]);
  });

  it('are woken by a job scheduler that follows their rows: made, changed, paused, gone', async () => {
    await startRunner();
    const agent = await harness.addAgent();
    const id = await harness.addSchedule(agent, {
      rule: { type: 'cron', cron: '0 3 * * *', time_zone: 'Europe/Berlin' },
    });
    await eventually(async () => (await schedulerIds()).includes(id));
    await harness.changeSchedule(id, { is_paused: true });
    await eventually(async () => !(await schedulerIds()).includes(id));
    await harness.changeSchedule(id, { is_paused: false });
    await eventually(async () => (await schedulerIds()).includes(id));
    await harness.sql.query('DELETE FROM registry.agent_schedules WHERE id = $1', [id]);
    await harness.queue.publish(topics.registryChanged, {
      ...{ entity: 'schedule', change: 'deleted', orgId: harness.orgId, id },
    });
    await eventually(async () => !(await schedulerIds()).includes(id));
  });

  it('make up for times at which no runner was there, by their rule, once', async () => {
    const agent = await harness.addAgent();
    const ago = (hours: number) => new Date(Date.now() - hours * 60 * minute);
    const late = {
      rule: { type: 'interval', every_s: 3_600, starts_at: ago(9.5).toISOString() },
      active_since: ago(10),
    };
    const [none, last, all] = [
      await harness.addSchedule(agent, { ...late, catch_up: 'none' }),
      await harness.addSchedule(agent, { ...late, catch_up: 'last' }),
      await harness.addSchedule(agent, { ...late, catch_up: 'all', overlap: 'queue' }),
    ];
    await startRunner();
    await eventually(async () => (await timesOf(all)).length === 10);
    await eventually(
      async () => (await runsOf(all)).filter(({ state }) => state === 'completed').length === 10,
    );
    await startRunner();
    await ask(none, 'due');
    const started = async (id: string) =>
      (await timesOf(id)).filter(({ outcome }) => outcome !== 'skipped').length;
    expect([await started(none), await started(last), await started(all)]).toEqual([0, 1, 10]);
  });

  it('do not run beside a run that has not ended: it is skipped, or waits for that one', async () => {
    const hold = holdTools();
    await startRunner();
    const agent = await harness.addAgent();
    const yearly = { rule: { type: 'cron', cron: '0 0 1 1 *', time_zone: 'UTC' } };
    const [skipping, queueing] = [
      await harness.addSchedule(agent, { ...yearly, overlap: 'skip' }),
      await harness.addSchedule(agent, { ...yearly, overlap: 'queue' }),
    ];
    expect(await ask(skipping, 'now')).toMatchObject({ status: 'started' });
    expect(await ask(skipping, 'now')).toMatchObject({ status: 'refused', error: { code: 'conflict' } });
    for (let n = 0; n < 3; n++) expect(await ask(queueing, 'now')).toMatchObject({ status: 'started' });
    expect((await runsOf(queueing)).map(({ is_held }) => is_held)).toEqual([false, true, true]);
    await eventually(() => harness.sent.length === 2);
    hold.resolve({ text: 'ran' });
    await eventually(async () => (await runsOf(queueing)).every(({ state }) => state === 'completed'));
  });

  it('that are removed take the runs along that wait for the one before; paused ones keep those that somebody asked for', async () => {
    const hold = holdTools();
    await startRunner();
    const agent = await harness.addAgent();
    const ago = new Date(Date.now() - 3.5 * minute);
    const behind = {
      rule: { type: 'interval', every_s: 60, starts_at: ago.toISOString() },
      ...{ active_since: ago, overlap: 'queue', catch_up: 'all' },
    };
    const [removed, paused] = [
      await harness.addSchedule(agent, behind),
      await harness.addSchedule(agent, behind),
    ];
    for (const id of [removed, paused]) await eventually(async () => (await runsOf(id)).length >= 3);
    expect(await ask(paused, 'now')).toMatchObject({ status: 'started' });
    await harness.changeSchedule(paused, { is_paused: true });
    await harness.sql.query('DELETE FROM registry.agent_schedules WHERE id = $1', [removed]);
    const waiting = async (id: string) => (await runsOf(id)).filter(({ is_held }) => is_held);
    await eventually(
      async () => (await waiting(removed)).length === 0 && (await waiting(paused)).length === 1,
    );
    expect((await waiting(paused)).map(({ scheduled_for: time }) => time)).toEqual([null]);
    hold.resolve({ text: 'ran' });
    const states = async (id: string) => (await runsOf(id)).map(({ state }) => state).sort();
    const cancelled = (await runsOf(removed)).slice(1).map(() => 'cancelled');
    await eventually(async () => (await states(removed)).join() === [...cancelled, 'completed'].join());
    await eventually(
      async () => (await states(paused)).filter((state) => state === 'completed').length === 2,
    );
    expect(new Set(await states(paused))).toEqual(new Set(['cancelled', 'completed']));
  });

  it('do nothing while they are paused, of an agent that is switched off, or for another organization', async () => {
    await startRunner();
    const off = await harness.addAgent({ isActive: false });
    const paused = await harness.addSchedule(await harness.addAgent(), {
      ...everyMinute(0),
      is_paused: true,
    });
    const idle = await harness.addSchedule(off, everyMinute(0));
    expect(await ask(paused, 'due')).toEqual({ status: 'skipped', why: 'paused' });
    expect(await ask(idle, 'due')).toEqual({ status: 'skipped', why: 'agent_inactive' });
    expect(await ask(idle, 'now')).toMatchObject({ status: 'refused', error: { code: 'conflict' } });
    const other = await harness.addOrganization(`stranger-${backend.kind}`);
    expect(await ask(paused, 'now', other)).toMatchObject({
      status: 'refused',
      error: { code: 'not_found' },
    });
    expect(await runsOf(paused)).toEqual([]);
  });

  it('keep running though one of them, of anybody, cannot be read', async () => {
    const other = await harness.addOrganization(`broken-${backend.kind}`);
    const broken = await harness.addAgent({ orgId: other });
    const starts = ['0000-01-01T00:00:00+23:00', '9999-12-31T23:59:59-23:00', 'never'];
    for (const starts_at of starts)
      await harness.addSchedule(broken, { rule: { type: 'interval', every_s: 3_600, starts_at } });
    const late = new Date(Date.now() - 10_000).toISOString();
    const id = await harness.addSchedule(await harness.addAgent(), {
      rule: { type: 'interval', every_s: 3_600, starts_at: late },
      active_since: new Date(Date.now() - minute),
    });
    const runner = await startRunner();
    const stale = randomUUID();
    await runner.app.get(QueueClient).upsertScheduler(queues.agentSchedules, {
      ...{ id: stale, rule: { pattern: '0 0 1 1 *', timeZone: 'UTC' } },
      payload: { v: 1, orgId: other, scheduleId: stale, reason: 'due' },
    });
    await eventually(async () => (await runsOf(id)).length === 1);
    await eventually(async () => !(await schedulerIds()).includes(stale));
    expect(await schedulerIds()).toContain(id);
    await harness.sql.query('DELETE FROM registry.agent_schedules WHERE agent_id = $1', [broken.id]);
  });

  it('run once for one asking, however often its job comes, and not for an old one', async () => {
    const runner = await startRunner();
    const id = await harness.addSchedule(await harness.addAgent(), {
      ...{ rule: { type: 'cron', cron: '0 0 1 1 *', time_zone: 'UTC' }, overlap: 'skip' },
    });
    const schedules = runner.app.get(Schedules);
    const asking = { correlationId: randomUUID(), enqueuedAt: Date.now() };
    const first = await schedules.runNow(harness.orgId, id, asking);
    expect(first).toMatchObject({ status: 'started' });
    expect(await schedules.runNow(harness.orgId, id, asking)).toEqual(first);
    await eventually(async () => (await runsOf(id)).every(({ state }) => state === 'completed'));
    expect(await schedules.runNow(harness.orgId, id, asking)).toEqual(first);
    const late = { correlationId: randomUUID(), enqueuedAt: Date.now() - 11 * minute };
    expect(await schedules.runNow(harness.orgId, id, late)).toMatchObject({
      ...{ status: 'refused', error: { code: 'conflict' } },
    });
    expect(await runsOf(id)).toHaveLength(1);
    const second = await schedules.runNow(harness.orgId, id, { ...asking, correlationId: randomUUID() });
    expect(second).toMatchObject({ status: 'started' });
    expect(second).not.toEqual(first);
  });

  it('run once for one key, whoever of the runners is asked, and again for another', async () => {
    await startRunner();
    await startRunner();
    const id = await harness.addSchedule(await harness.addAgent(), {
      ...{ rule: { type: 'cron', cron: '0 0 1 1 *', time_zone: 'UTC' }, overlap: 'queue' },
    });
    const other = await harness.addSchedule(await harness.addAgent(), {
      ...{ rule: { type: 'cron', cron: '0 0 1 1 *', time_zone: 'UTC' } },
    });
    const press = (requestKey: string, scheduleId = id) => {
      const job = { v: 1, orgId: harness.orgId, scheduleId, reason: 'now', requestKey } as const;
      return harness.queue.request(queues.agentSchedules, job, { timeoutMs: 10_000 });
    };
    const [first, ...twins] = await Promise.all(Array.from({ length: 8 }, () => press('a')));
    expect(first).toMatchObject({ status: 'started' });
    for (const twin of twins) expect(twin).toEqual(first);
    await eventually(async () => (await runsOf(id)).every(({ state }) => state === 'completed'));
    expect(await press('a')).toEqual(first);
    expect(await runsOf(id)).toHaveLength(1);
    for (const another of [await press('b'), await press('a', other)]) {
      expect(another).toMatchObject({ status: 'started' });
      expect(another).not.toEqual(first);
    }
  });

  it('are not asked for beyond a hundred runs that have not ended, however many ask at once', async () => {
    const hold = holdTools();
    await startRunner();
    const id = await harness.addSchedule(await harness.addAgent(), {
      ...{ rule: { type: 'cron', cron: '0 0 1 1 *', time_zone: 'UTC' }, overlap: 'queue' },
    });
    const answers = await Promise.all(Array.from({ length: 110 }, () => ask(id, 'now')));
    const refused = answers.filter(({ status }) => status === 'refused');
    expect(refused).toHaveLength(10);
    for (const answer of refused)
      expect(answer).toMatchObject({
        error: {
          code: 'conflict',
          message: expect.stringContaining('100 runs of the schedule have not ended'),
        },
      });
    expect(await runsOf(id)).toHaveLength(100);
    await harness.sql.query('DELETE FROM registry.agent_schedules WHERE id = $1', [id]);
    await eventually(async () => (await runsOf(id)).filter(({ is_held }) => is_held).length === 0);
    hold.resolve({ text: 'ran' });
  });

  it('of others go on beside a thousand that have no time in sight', async () => {
    const other = await harness.addOrganization(`crowded-${backend.kind}`);
    const crowded = await harness.addAgent({ orgId: other });
    await harness.sql.query(
      `INSERT INTO registry.agent_schedules (id, organization_id, agent_id, name, rule, input, overlap, catch_up)
       SELECT gen_random_uuid(), $1, $2, 'far', $3, repeat('x', 60000), 'skip', 'last' FROM generate_series(1, 1000)`,
      [other, crowded.id, { type: 'cron', cron: '0 0 30 2 4#5', time_zone: 'UTC' }],
    );
    const id = await harness.addSchedule(await harness.addAgent(), everyMinute(10_000));
    const runner = await startRunner();
    await eventually(async () => (await runsOf(id)).length === 1);
    const { schedules, unreadable } = await runner.app.get(SchedulesRepository).active();
    const far = schedules.filter(({ orgId }) => orgId === other);
    expect([far.length, unreadable.length, JSON.stringify(far).includes('xxxxx')]).toEqual([1_000, 0, false]);
    expect((await schedulerIds()).filter((stored) => far.some(({ id }) => id === stored))).toEqual([]);
    await harness.sql.query('DELETE FROM registry.agent_schedules WHERE agent_id = $1', [crowded.id]);
  });

  it('find a time whose firing the queue lost', async () => {
    const agent = await harness.addAgent();
    const id = await harness.addSchedule(agent, {
      rule: { type: 'interval', every_s: 3_600, starts_at: new Date(Date.now() - 10_000).toISOString() },
      active_since: new Date(Date.now() - minute),
    });
    await startRunner();
    await eventually(async () => (await runsOf(id)).length === 1);
  });
});
