import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { echoQueue } from '../../test-fixtures/echo-queue.js';
import { buildForWorkers, spawnWorker, type WorkerProcess } from '../../test-fixtures/spawn-worker.js';
import { onBothBackends } from '../../test-fixtures/test-clients.js';
import type { QueueClient } from '../queue-client.js';
import { JobAborted } from './job-context.js';

onBothBackends('a consumer whose concurrency changes', (_backend, clients) => {
  it('runs as many jobs at once as it may by now', async () => {
    const queue = echoQueue('concurrency');
    const client = await clients.connect();
    const goOn = Promise.withResolvers<void>();
    let most = 0;
    let running = 0;
    const consumer = client.consume(
      queue,
      async ({ n }) => {
        most = Math.max(most, ++running);
        if (most < 3) await goOn.promise;
        goOn.resolve();
        running -= 1;
        return { n };
      },
      { concurrency: 1 },
    );
    consumer.concurrency = 3;
    const answers = [1, 2, 3].map((n) => client.request(queue, { n }, { timeoutMs: 10_000 }));
    expect(await Promise.all(answers)).toHaveLength(3);
    expect(most).toBe(3);
  });
});

onBothBackends('a consumer that closes', (_backend, clients) => {
  let asker: QueueClient;
  beforeAll(async () => {
    asker = await clients.connect();
  });

  it('takes nothing more, lets what runs end and answer, and leaves the rest untouched', async () => {
    const queue = echoQueue('drain');
    const worker = await clients.connect();
    const goOn = Promise.withResolvers<void>();
    let started = 0;
    const consumer = worker.consume(
      queue,
      async ({ n }) => {
        started += 1;
        await goOn.promise;
        return { n };
      },
      { concurrency: 2 },
    );
    const answers = [1, 2].map((n) => asker.request(queue, { n }, { timeoutMs: 10_000 }));
    await eventually(() => started === 2);
    await asker.enqueueMany(
      queue,
      [3, 4, 5].map((n) => ({ payload: { n }, jobId: randomUUID() })),
    );
    const closed = consumer.close();
    goOn.resolve();
    await closed;
    expect(await Promise.all(answers)).toEqual([{ n: 1 }, { n: 2 }]);
    expect(started).toBe(2);
    expect(await asker.counts(queue)).toMatchObject({ waiting: 3, active: 0 });
    const redelivered: boolean[] = [];
    worker.consume(queue, async (_payload, context) => void redelivered.push(context.redelivered), {
      concurrency: 1,
    });
    await eventually(() => redelivered.length === 3);
    expect(redelivered).toEqual([false, false, false]);
  });

  it('aborts handlers at its limit and hands out again what does not end', async () => {
    const queue = echoQueue('drain-limit');
    const stubborn = await clients.connect();
    const reasons: unknown[] = [];
    const consumer = stubborn.consume(
      queue,
      async (_payload, { signal }) => {
        signal.addEventListener('abort', () => reasons.push(signal.reason));
        await new Promise(() => undefined);
      },
      { concurrency: 1, lockMs: 2_000, stalledMs: 1_000 },
    );
    const answer = asker.request(queue, { n: 1 }, { timeoutMs: 30_000 });
    await eventually(async () => (await asker.counts(queue)).active === 1);
    await consumer.close({ limitMs: 200 });
    expect(reasons).toEqual([new JobAborted('closing')]);
    const other = await clients.connect();
    other.consume(queue, async (_payload, { redelivered }) => ({ n: redelivered ? 1 : 0 }), {
      concurrency: 1,
      lockMs: 2_000,
      stalledMs: 1_000,
    });
    expect(await answer).toEqual({ n: 1 });
  });

  it('hands out no job twice while two workers share the queue and one closes', async () => {
    const queue = echoQueue('rolling');
    const counted = new Map<number, number>();
    const handler = async ({ n }: { n: number }) => {
      counted.set(n, (counted.get(n) ?? 0) + 1);
      await delay(2);
    };
    const [one, two] = await Promise.all([clients.connect(), clients.connect()]);
    const first = one.consume(queue, handler, { concurrency: 8 });
    two.consume(queue, handler, { concurrency: 8 });
    await asker.enqueueMany(
      queue,
      Array.from({ length: 1_000 }, (_, n) => ({ payload: { n }, jobId: `job-${n}` })),
    );
    await eventually(() => counted.size > 200);
    await first.close();
    await eventually(() => counted.size === 1_000);
    expect([...counted.values()].every((times) => times === 1)).toBe(true);
  });
});

onBothBackends('a handler whose lock is lost', (backend, clients) => {
  const workers: WorkerProcess[] = [];
  beforeAll(buildForWorkers);
  afterAll(() => Promise.all(workers.map((worker) => worker.kill())));

  it('hears of it, while another worker has the job', async () => {
    const queue = echoQueue();
    const why: string[] = [];
    const blocked = await clients.connect();
    blocked.consume(
      queue,
      async (_payload, { signal }) => {
        signal.addEventListener('abort', () => why.push((signal.reason as JobAborted).why));
        workers.push(await spawnWorker(backend, 'answer'));
        // Nothing is renewed while the loop is blocked, as by a handler that computes for too long.
        for (const until = Date.now() + 7_000; Date.now() < until;);
        await eventually(() => why.length > 0);
      },
      { concurrency: 1, lockMs: 1_000, stalledMs: 500 },
    );
    const jobId = await blocked.enqueue(queue, { n: 1 });
    await eventually(() => workers[0]?.taken.length === 1 && why.length === 1);
    expect(workers[0]?.taken).toEqual([{ taken: jobId, redelivered: true }]);
    expect(why).toEqual(['lock_lost']);
  });
});
