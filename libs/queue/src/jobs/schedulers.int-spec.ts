import { beforeAll, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { type EchoQueue, echoQueue } from '../../test-fixtures/echo-queue.js';
import { onBothBackends } from '../../test-fixtures/test-clients.js';
import { testTimes } from '../../test-fixtures/test-times.js';
import type { QueueClient } from '../queue-client.js';
import { firingId } from './firings.js';
import type { JobContext } from './job-context.js';

const every = (everyMs: number) => ({ everyMs, startsAt: 0 });
const at = (time: number) => ({ pattern: String(time), timeZone: 'UTC' });

type Fired = { n: number; takenAt: number; context: JobContext<EchoQueue> };

onBothBackends('a scheduler', (_backend, clients) => {
  const waited: number[] = [];
  let client: QueueClient;
  let other: QueueClient;
  beforeAll(async () => {
    const metrics = {
      jobTaken: (queue: string, waitedMs: number) => void (queue === 'wakes' && waited.push(waitedMs)),
      jobEnded() {},
      jobRejected() {},
    };
    client = await clients.connect({ nextTime: testTimes, metrics });
    other = await clients.connect({ nextTime: testTimes });
  });

  const collect = (taker: QueueClient, queue: EchoQueue, concurrency = 4): Fired[] => {
    const fired: Fired[] = [];
    const handler = async ({ n }: { n: number }, context: JobContext<EchoQueue>) => {
      fired.push({ n, takenAt: Date.now(), context });
    };
    taker.consume(queue, handler, { concurrency });
    return fired;
  };
  const timesOf = (fired: Fired[]) => fired.map(({ context }) => context.scheduledFor ?? NaN);
  const onlyNextAt = async (queue: EchoQueue) => {
    const [scheduler, ...more] = await client.schedulers(queue);
    expect(more).toEqual([]);
    return scheduler?.nextAt ?? NaN;
  };

  it('wakes the consumer at its times, with its payload, and says for which time', async () => {
    const queue = echoQueue('wakes');
    const fired = collect(client, queue);
    await client.upsertScheduler(queue, { id: 'a-1', payload: { n: 7 }, rule: every(200) });
    await eventually(() => fired.length >= 4);
    const times = timesOf(fired);
    expect(times).toEqual([...new Set(times)].sort());
    expect(times.filter((time) => time % 200 !== 0)).toEqual([]);
    for (const [index, { n, takenAt, context }] of fired.entries()) {
      const { jobId, scheduledFor, correlationId, redelivered, replyTo } = context;
      expect({ n, correlationId, redelivered, replyTo }).toEqual({
        n: 7,
        correlationId: 'scheduler:a-1',
        redelivered: false,
        replyTo: null,
      });
      expect(jobId).toBe(firingId({ schedulerId: 'a-1', scheduledFor: scheduledFor ?? NaN }));
      expect(takenAt).toBeGreaterThanOrEqual(scheduledFor ?? NaN);
      expect(waited[index]).toBeLessThanOrEqual(takenAt - (scheduledFor ?? NaN));
    }
    expect(await client.removeScheduler(queue, 'a-1')).toBe(true);
    expect(await client.removeScheduler(queue, 'a-1')).toBe(false);
    await eventually(async () => (await client.counts(queue)).active === 0);
    expect(await client.counts(queue)).toMatchObject({ waiting: 0, delayed: 0 });
    expect(
      await client.exists(
        queue,
        fired.map(({ context }) => context.jobId),
      ),
    ).toEqual(new Set());
  });

  it('fires once for each time, whoever of two consumers takes it', async () => {
    const queue = echoQueue('two-takers');
    const fired = [collect(client, queue), collect(other, queue)];
    const rule = every(25);
    await Promise.all(
      [client, other].map((one) => one.upsertScheduler(queue, { id: 'shared', payload: { n: 1 }, rule })),
    );
    await eventually(() => fired.flat().length >= 60 && fired.every(({ length }) => length > 0));
    await client.removeScheduler(queue, 'shared');
    const times = timesOf(fired.flat());
    expect(new Set(times).size).toBe(times.length);
  });

  it('keeps the first time at which nobody took jobs, once, also when it is stored again', async () => {
    const queue = echoQueue('down');
    const scheduler = { id: 'night', payload: { n: 1 }, rule: every(150) };
    await client.upsertScheduler(queue, scheduler);
    const due = await onlyNextAt(queue);
    await eventually(() => Date.now() > due + 500);
    await other.upsertScheduler(queue, scheduler);
    expect(await onlyNextAt(queue)).toBe(due);
    const backAt = Date.now();
    const fired = collect(client, queue);
    await eventually(() => fired.length >= 3);
    const [first, ...later] = timesOf(fired);
    expect(first).toBe(due);
    expect(later.filter((time) => time <= backAt)).toEqual([]);
    await client.removeScheduler(queue, 'night');
  });

  it('is changed by another rule or payload, and by nothing else', async () => {
    const queue = echoQueue('changes');
    const [soon, later] = [Date.now() + 60_000, Date.now() + 120_000];
    const upsert = (n: number, time: number) =>
      client.upsertScheduler(queue, { id: 'one', payload: { n }, rule: at(time) });
    for (const [n, time] of [
      [1, soon],
      [1, soon],
      [1, later],
      [2, later],
    ] as const) {
      await upsert(n, time);
      expect(await client.schedulers(queue)).toEqual([{ id: 'one', nextAt: time }]);
      expect(await client.counts(queue)).toMatchObject({ waiting: 0, delayed: 1 });
    }
    const ids = [soon, later].map((scheduledFor) => firingId({ schedulerId: 'one', scheduledFor }));
    expect(await client.exists(queue, ids)).toEqual(new Set([ids[1]]));
    const due = Date.now() + 300;
    await upsert(3, due);
    const fired = collect(client, queue);
    await eventually(() => fired.length === 1);
    expect(fired[0]).toMatchObject({ n: 3, context: { scheduledFor: due } });
  });

  it('that has no next time any more is removed when it is stored', async () => {
    const queue = echoQueue('ends');
    const rule = at(Date.now() + 300);
    const scheduler = { id: 'once', payload: { n: 1 }, rule };
    await client.upsertScheduler(queue, scheduler);
    const fired = collect(client, queue);
    await eventually(() => fired.length === 1);
    await client.upsertScheduler(queue, scheduler);
    expect(await client.schedulers(queue)).toEqual([]);
    expect(await client.counts(queue)).toMatchObject({ waiting: 0, delayed: 0 });
  });

  it('whose job is due and waits has waited since then, and takes it along when it is removed', async () => {
    const queue = echoQueue('waits');
    const due = Date.now() + 1_000;
    const goOn = Promise.withResolvers<void>();
    const ran: number[] = [];
    await client.upsertScheduler(queue, { id: 'one', payload: { n: 1 }, rule: at(due) });
    await client.upsertScheduler(queue, { id: 'two', payload: { n: 2 }, rule: at(due) });
    client.consume(queue, async ({ n }) => (ran.push(n), goOn.promise as Promise<never>), { concurrency: 1 });
    const { oldestWaitingAgeMs } = await eventually(async () => {
      const counts = await client.counts(queue);
      return counts.waiting === 1 && counts;
    });
    // The store's own clock readings differ by a little; had it counted from the upsert, by a second.
    expect(oldestWaitingAgeMs).toBeLessThan(Date.now() - due + 500);
    expect(await client.removeScheduler(queue, ran[0] === 1 ? 'two' : 'one')).toBe(true);
    expect(await client.counts(queue)).toMatchObject({ waiting: 0, delayed: 0, active: 1 });
    goOn.resolve();
    await eventually(async () => (await client.counts(queue)).active === 0);
    expect(ran).toHaveLength(1);
  });

  it('is one of many that are listed in pages', async () => {
    const queue = echoQueue('many');
    const ids = Array.from({ length: 230 }, (_, n) => `s-${n}`);
    const rule = at(Date.now() + 60_000);
    await Promise.all(ids.map((id, n) => client.upsertScheduler(queue, { id, payload: { n }, rule })));
    const listed = await other.schedulers(queue);
    expect(listed.map(({ id }) => id).sort()).toEqual([...ids].sort());
    expect(new Set(listed.map(({ nextAt }) => nextAt))).toEqual(new Set([Number(rule.pattern)]));
  });

  it('is refused with a payload, id or rule that does not fit, or by a client that knows no times', async () => {
    const queue = echoQueue('refused');
    const good = { id: 'a', payload: { n: 1 }, rule: every(1_000) };
    const upsert = (change: object) => client.upsertScheduler(queue, { ...good, ...change });
    await expect(upsert({ payload: { n: 'x' } })).rejects.toThrow('expected number');
    await expect(upsert({ id: 'a:b' })).rejects.toThrow(TypeError);
    await expect(upsert({ rule: { everyMs: 0, startsAt: 0 } })).rejects.toThrow('everyMs');
    const timeless = await clients.connect();
    await expect(timeless.upsertScheduler(queue, good)).rejects.toThrow('nextTime');
    const stuck = await clients.connect({ nextTime: (_rule, after) => after });
    await expect(stuck.upsertScheduler(queue, good)).rejects.toThrow(RangeError);
    expect(await client.schedulers(queue)).toEqual([]);
  });
});
