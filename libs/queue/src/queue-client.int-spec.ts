import { beforeAll, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { randomUUID } from 'node:crypto';
import { echoQueue } from '../test-fixtures/echo-queue.js';
import { onBothBackends } from '../test-fixtures/test-clients.js';
import type { QueueClient } from './queue-client.js';

onBothBackends('QueueClient', (_backend, clients) => {
  let asker: QueueClient;
  let worker: QueueClient;
  beforeAll(async () => {
    [asker, worker] = await Promise.all([clients.connect(), clients.connect()]);
  });

  it('brings a request to a worker, and events and result back in order', async () => {
    const queue = echoQueue('round-trip');
    worker.consume(
      queue,
      async ({ n }, context) => {
        for (const step of [1, 2, 3]) context.emit({ step });
        return { n: n + 1 };
      },
      { concurrency: 1 },
    );
    const heard: unknown[] = [];
    const result = await asker.request(
      queue,
      { n: 1 },
      { timeoutMs: 5_000, onEvent: (event) => heard.push(event) },
    );
    expect(result).toEqual({ n: 2 });
    expect(heard).toEqual([{ step: 1 }, { step: 2 }, { step: 3 }]);
    expect(await asker.counts(queue)).toMatchObject({ waiting: 0, delayed: 0 });
  });

  it('carries large payloads, results and events, in order and unchanged', async () => {
    const queue = echoQueue('large');
    worker.consume(queue, async ({ n, pad }, context) => (context.emit({ step: 1 }), { n, pad }), {
      concurrency: 4,
    });
    const pad = 'é\u0000"\\\ud83d\ude00'.repeat(60_000);
    const heard: unknown[] = [];
    const result = await asker.request(
      queue,
      { n: 1, pad },
      { timeoutMs: 10_000, onEvent: (event) => heard.push(event) },
    );
    expect(result.pad === pad).toBe(true);
    expect(heard).toHaveLength(1);
  });

  it('answers at once by reply() and lets the handler go on', async () => {
    const queue = echoQueue('early-answer');
    const goOn = Promise.withResolvers<void>();
    let ended = false;
    worker.consume(
      queue,
      async ({ n }, context) => {
        await context.reply({ n });
        await goOn.promise;
        ended = true;
        return { n: 999 };
      },
      { concurrency: 1 },
    );
    expect(await asker.request(queue, { n: 7 }, { timeoutMs: 5_000 })).toEqual({ n: 7 });
    expect(await asker.counts(queue)).toMatchObject({ active: 1 });
    expect(ended).toBe(false);
    goOn.resolve();
    await eventually(async () => (await asker.counts(queue)).active === 0);
  });

  it('hands the asker on to a job that was added again', async () => {
    const queue = echoQueue('again');
    const seen: string[] = [];
    worker.consume(
      queue,
      async ({ n }, context) => {
        seen.push(context.jobId);
        if (n > 0)
          return context.requeue({ n: n - 1 }, { delayMs: 100, jobId: `${context.correlationId}-r${n}` });
        return { n: 42 };
      },
      { concurrency: 1 },
    );
    const jobId = randomUUID();
    expect(await asker.request(queue, { n: 2 }, { jobId, timeoutMs: 10_000 })).toEqual({ n: 42 });
    expect(seen).toEqual([jobId, `${jobId}-r2`, `${jobId}-r1`]);
  });

  it('gives the answer of a job that another client enqueued', async () => {
    const queue = echoQueue('enqueued-elsewhere');
    worker.consume(queue, async ({ n }) => ({ n: -n }), { concurrency: 1 });
    const correlationId = randomUUID();
    const answer = asker.awaitAnswer(queue, correlationId, { timeoutMs: 5_000 });
    await worker.enqueue(queue, { n: 3 }, { replyTo: asker.replyTo, correlationId });
    expect(await answer).toEqual({ n: -3 });
  });

  it('rejects at the deadline and when the asker gives up; the job stays until it is removed', async () => {
    const queue = echoQueue('nobody-consumes');
    const jobId = randomUUID();
    await expect(asker.request(queue, { n: 1 }, { jobId, timeoutMs: 100 })).rejects.toMatchObject({
      code: 'deadline_exceeded',
    });
    const request = asker.request(queue, { n: 1 }, { timeoutMs: 5_000, signal: AbortSignal.timeout(100) });
    await expect(request).rejects.toMatchObject({ code: 'cancelled' });
    expect(await asker.remove(queue, jobId)).toBe(true);
    expect(await asker.remove(queue, jobId)).toBe(false);
  });

  it('tells the asker that the platform failed, and no more than that, when a handler throws', async () => {
    const queue = echoQueue('throws');
    worker.consume(queue, () => Promise.reject(new Error('secret detail')), { concurrency: 1 });
    const jobId = randomUUID();
    const request = asker.request(queue, { n: 1 }, { jobId, timeoutMs: 5_000 });
    await expect(request).rejects.toMatchObject({
      code: 'internal',
      message: expect.not.stringContaining('secret'),
    });
    await eventually(async () => (await asker.exists(queue, [jobId])).size === 0);
  });

  it('takes a job id once while it exists, and again after the job has ended', async () => {
    const queue = echoQueue('same-id');
    const jobId = randomUUID();
    const taken: number[] = [];
    await asker.enqueue(queue, { n: 1 }, { jobId });
    await asker.enqueue(queue, { n: 2 }, { jobId });
    worker.consume(queue, async ({ n }) => void taken.push(n), { concurrency: 4 });
    await eventually(async () => (await asker.exists(queue, [jobId])).size === 0);
    expect(taken).toEqual([1]);
    await asker.enqueue(queue, { n: 3 }, { jobId });
    await eventually(() => taken.length === 2);
    expect(taken).toEqual([1, 3]);
  });

  it('refuses a payload that does not fit and a job id that the store cannot carry', async () => {
    const queue = echoQueue('refused');
    await expect(asker.enqueue(queue, { n: 'one' as never })).rejects.toThrow(/expected number/i);
    await expect(asker.enqueue(queue, { n: 1 }, { jobId: 'a:b' })).rejects.toThrow(TypeError);
    await expect(asker.enqueue(queue, { n: 1 }, { jobId: '12' })).rejects.toThrow(TypeError);
  });

  it('takes the lower priority number first, and before all a job without one', async () => {
    const queue = echoQueue('priorities');
    for (const [n, priority] of [
      [30, 3],
      [10, 1],
      [31, 3],
      [0, undefined],
      [20, 2],
    ] as const) {
      await asker.enqueue(queue, { n }, { priority });
    }
    const taken: number[] = [];
    worker.consume(queue, async ({ n }) => void taken.push(n), { concurrency: 1 });
    await eventually(() => taken.length === 5);
    expect(taken).toEqual([0, 10, 20, 30, 31]);
  });

  it('runs a delayed job when it is due, although two workers wait', async () => {
    const queue = echoQueue('delayed');
    const other = await clients.connect();
    const takenAt: number[] = [];
    for (const client of [worker, other])
      client.consume(queue, async () => void takenAt.push(Date.now()), { concurrency: 4 });
    const addedAt = Date.now();
    await asker.enqueueMany(
      queue,
      [300, 600, 900].map((delayMs) => ({ payload: { n: delayMs }, jobId: randomUUID(), delayMs })),
    );
    expect(await asker.counts(queue)).toMatchObject({ delayed: 3, waiting: 0 });
    await eventually(() => takenAt.length === 3);
    takenAt.forEach((at, index) => {
      expect(at - addedAt).toBeGreaterThanOrEqual(300 * (index + 1) - 20);
      // An idle worker waits for five seconds: less than that means that the due job woke one.
      expect(at - addedAt).toBeLessThan(300 * (index + 1) + 4_000);
    });
  });

  it('stores 5,000 jobs, counts them, says which exist, and tells their age', async () => {
    const queue = echoQueue('many');
    const items = Array.from({ length: 5_000 }, (_, n) => ({ payload: { n }, jobId: randomUUID() }));
    await asker.enqueueMany(queue, items);
    await eventually(async () => (await asker.counts(queue)).oldestWaitingAgeMs > 50);
    expect(await asker.counts(queue)).toMatchObject({ waiting: 5_000, delayed: 0, active: 0 });
    const [first, last] = [items[0]!.jobId, items.at(-1)!.jobId];
    expect(await asker.exists(queue, [first, 'nobody', last])).toEqual(new Set([first, last]));
    expect(await asker.remove(queue, last)).toBe(true);
  });

  it('refuses a second handler of a queue, and allows one after the first has closed', async () => {
    const queue = echoQueue('one-handler');
    const first = worker.consume(queue, async ({ n }) => ({ n }), { concurrency: 1 });
    expect(() => worker.consume(queue, async ({ n }) => ({ n }), { concurrency: 1 })).toThrow(
      /has a handler/,
    );
    await first.close();
    worker.consume(queue, async ({ n }) => ({ n: n * 2 }), { concurrency: 1 });
    expect(await asker.request(queue, { n: 4 }, { timeoutMs: 5_000 })).toEqual({ n: 8 });
  });

  it('is ready while the store can be reached', async () => {
    await expect(asker.ping()).resolves.toBeUndefined();
  });
});
