import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { randomUUID } from 'node:crypto';
import { echoQueue } from '../../test-fixtures/echo-queue.js';
import { rawQueue } from '../../test-fixtures/raw-queue.js';
import { buildForWorkers, spawnWorker, type WorkerProcess } from '../../test-fixtures/spawn-worker.js';
import { onBothBackends } from '../../test-fixtures/test-clients.js';
import { testTimes } from '../../test-fixtures/test-times.js';
import type { QueueClient } from '../queue-client.js';
import { firingId } from './firings.js';

const every = (everyMs: number) => ({ everyMs, startsAt: 0 });

onBothBackends('the chain of a scheduler', (_backend, clients) => {
  let client: QueueClient;
  beforeAll(async () => {
    client = await clients.connect({ nextTime: testTimes });
  });

  it('goes on after jobs that fail, and those are gone', async () => {
    const queue = echoQueue('fails');
    const ids: string[] = [];
    const handler = async (_payload: unknown, { jobId }: { jobId: string }) => {
      ids.push(jobId);
      throw new Error('broken');
    };
    client.consume(queue, handler, { concurrency: 1 });
    await client.upsertScheduler(queue, { id: 'f', payload: { n: 1 }, rule: every(100) });
    await eventually(() => ids.length >= 3);
    await client.removeScheduler(queue, 'f');
    await eventually(async () => (await client.exists(queue, ids)).size === 0);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('survives a consumer that closes over a job: it is handed out again, no other time twice', async () => {
    const queue = echoQueue('left');
    const locks = { concurrency: 1, lockMs: 1_500, stalledMs: 1_000 };
    const leaving = await clients.connect({ nextTime: testTimes });
    let left: number | null = null;
    const hang = async (_payload: unknown, { scheduledFor }: { scheduledFor: number | null }) => {
      left = scheduledFor;
      await new Promise(() => undefined);
    };
    const consumer = leaving.consume(queue, hang, locks);
    await client.upsertScheduler(queue, { id: 'l', payload: { n: 1 }, rule: every(200) });
    await eventually(() => left !== null);
    await consumer.close({ limitMs: 50 });
    const taken: { scheduledFor: number | null; redelivered: boolean }[] = [];
    client.consume(queue, async (_payload, context) => void taken.push(context), locks);
    await eventually(() => taken.some(({ redelivered }) => redelivered) && taken.length > 3);
    await client.removeScheduler(queue, 'l');
    const times = taken.map(({ scheduledFor }) => scheduledFor);
    expect(taken.filter(({ redelivered }) => redelivered)).toMatchObject([{ scheduledFor: left }]);
    expect(new Set(times).size).toBe(times.length);
  });

  it('is taken up by the next upsert when its job was lost', async () => {
    const queue = echoQueue('lost');
    const scheduler = { id: 'x', payload: { n: 1 }, rule: every(60_000) };
    await client.upsertScheduler(queue, scheduler);
    const [stored] = await client.schedulers(queue);
    const jobId = firingId({ schedulerId: 'x', scheduledFor: stored?.nextAt ?? NaN });
    expect(await client.remove(queue, jobId)).toBe(true);
    await client.upsertScheduler(queue, scheduler);
    expect(await client.counts(queue)).toMatchObject({ delayed: 1 });
  });

  it('ends with a report, and not the job, where a time cannot be told, until the next upsert', async () => {
    const queue = echoQueue('timeless');
    const reported: string[] = [];
    const timeless = await clients.connect({ onError: (error) => reported.push(String(error)) });
    const ran: number[] = [];
    const consumer = timeless.consume(queue, async ({ n }) => void ran.push(n), { concurrency: 1 });
    const scheduler = { id: 't', payload: { n: 1 }, rule: every(200) };
    await client.upsertScheduler(queue, scheduler);
    await eventually(async () => ran.length === 1 && (await client.counts(queue)).active === 0);
    expect(reported.join()).toContain('nextTime');
    expect(await client.counts(queue)).toMatchObject({ waiting: 0, delayed: 0 });
    await consumer.close();
    client.consume(queue, async ({ n }) => void ran.push(n), { concurrency: 1 });
    await client.upsertScheduler(queue, scheduler);
    await eventually(() => ran.length >= 3);
    await client.removeScheduler(queue, 't');
  });

  it('goes on beside a job that a handler adds again', async () => {
    const queue = echoQueue('again');
    const seen: (number | null)[] = [];
    client.consume(
      queue,
      async ({ n }, { scheduledFor, requeue }) => {
        seen.push(scheduledFor);
        if (n === 1) await requeue({ n: 2 }, { delayMs: 10, jobId: randomUUID() });
      },
      { concurrency: 2 },
    );
    await client.upsertScheduler(queue, { id: 'r', payload: { n: 1 }, rule: every(100) });
    await eventually(() => seen.filter((time) => time === null).length >= 2);
    await client.removeScheduler(queue, 'r');
  });
});

onBothBackends('schedulers between processes', (backend, clients) => {
  const queue = echoQueue();
  const workers: WorkerProcess[] = [];
  const spawn = async (what: 'hang' | 'answer') => {
    const worker = await spawnWorker(backend, what);
    workers.push(worker);
    return worker;
  };
  let client: QueueClient;
  beforeAll(async () => {
    buildForWorkers();
    client = await clients.connect({ nextTime: testTimes });
  });
  afterEach(() => Promise.all(workers.splice(0).map((worker) => worker.kill())));

  it('fire once for each time', async () => {
    await Promise.all([spawn('answer'), spawn('answer')]);
    const ids = ['p-1', 'p-2', 'p-3'];
    for (const id of ids) await client.upsertScheduler(queue, { id, payload: { n: 1 }, rule: every(50) });
    await eventually(() => workers.every(({ taken }) => taken.length >= 40));
    for (const id of ids) await client.removeScheduler(queue, id);
    const taken = workers.flatMap((worker) => worker.taken.map((job) => job.taken));
    expect(new Set(taken).size).toBe(taken.length);
    expect(new Set(taken.map((id) => id.split(':')[1]))).toEqual(new Set(ids));
    await eventually(async () => (await client.counts(queue)).active === 0);
  });

  it('go on when a worker is killed, and what it held is handed out again, once', async () => {
    const doomed = await spawn('hang');
    await client.upsertScheduler(queue, { id: 'k', payload: { n: 1 }, rule: every(200) });
    await eventually(() => doomed.taken.length >= 2);
    await doomed.kill();
    const held = doomed.taken.map(({ taken }) => taken);
    const heir = await spawn('answer');
    await eventually(() => held.every((id) => heir.taken.some(({ taken }) => taken === id)));
    const before = heir.taken.length;
    await eventually(() => heir.taken.length > before + 2);
    await client.removeScheduler(queue, 'k');
    const ids = heir.taken.map(({ taken }) => taken);
    expect(new Set(ids).size).toBe(ids.length);
    expect(
      heir.taken
        .filter(({ redelivered }) => redelivered)
        .map(({ taken }) => taken)
        .sort(),
    ).toEqual(held.sort());
  }, 60_000);
});

onBothBackends('a scheduler that somebody else wrote into the store', (backend, clients) => {
  const queue = echoQueue('forged');
  const genuineRule = every(3_600_000);
  const ran: (number | null)[] = [];
  const rejected: string[] = [];
  const reports: string[] = [];
  let raw: ReturnType<typeof rawQueue>;
  let client: QueueClient;
  let sealed: object;
  let ordinary: object;

  beforeAll(async () => {
    raw = rawQueue(backend, queue.name);
    client = await clients.connect({ nextTime: testTimes });
    await client.upsertScheduler(queue, { id: 'genuine', payload: { n: 1 }, rule: genuineRule });
    const [stored] = await client.schedulers(queue);
    const ownId = firingId({ schedulerId: 'genuine', scheduledFor: stored?.nextAt ?? NaN });
    sealed = (await raw.getJob(ownId))?.data as object;
    const ordinaryId = await client.enqueue(queue, { n: 5 }, { jobId: 'ordinary' });
    ordinary = (await raw.getJob(ordinaryId))?.data as object;
    await client.remove(queue, ordinaryId);
    const metrics = {
      jobTaken() {},
      jobEnded() {},
      jobRejected: (_queue: string, why: string) => void rejected.push(why),
    };
    const onError = (error: unknown) => void reports.push(String(error));
    const worker = await clients.connect({ nextTime: testTimes, metrics, onError });
    worker.consume(queue, async (_payload, { scheduledFor }) => void ran.push(scheduledFor), {
      concurrency: 2,
    });
  });
  afterAll(() => raw.close());

  it.each([
    ['unsealed', () => ({ n: 13 })],
    ['with another payload under the seal', () => ({ ...sealed, body: '{"n":13}' })],
    ['with what a genuine one sealed', () => sealed],
    ['with a sealed job', () => ordinary],
  ])('runs nothing: %s', async (_what, data) => {
    const before = rejected.length;
    await raw.upsertJobScheduler('evil', { every: 100 }, { name: 'job', data: data() });
    await eventually(() => rejected.length >= before + 2);
    expect(await client.removeScheduler(queue, 'evil')).toBe(true);
    expect(new Set(rejected)).toEqual(new Set(['forged']));
    expect(ran).toEqual([]);
  });

  it.each([
    ['what a scheduler sealed as an ordinary job', 'scheduler-genuine', () => sealed],
    ['what a scheduler sealed under another one’s id', 'repeat:other:1', () => sealed],
    ['a sealed job under a scheduler’s id', 'repeat:ordinary:1', () => ordinary],
  ])('nor does %s', async (_what, jobId, data) => {
    await raw.add('job', data(), { jobId });
    // By its id: the last job of the scheduler above may still be under way, and is set aside too.
    await eventually(() =>
      reports.some((report) => report.includes(`${jobId}" of ${queue.name} was set aside`)),
    );
    expect(ran).toEqual([]);
  });

  it('while a genuine one goes on', async () => {
    await client.upsertScheduler(queue, { id: 'genuine', payload: { n: 1 }, rule: every(100) });
    await eventually(() => ran.length >= 2);
    await client.removeScheduler(queue, 'genuine');
  });
});
