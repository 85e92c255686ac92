import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { topics } from '@switchyard/contracts';
import { calmMsOf, eventually } from '@switchyard/testing';
import { randomUUID } from 'node:crypto';
import { type CuttableProxy, cuttableProxy } from '../test-fixtures/cuttable-proxy.js';
import { echoQueue } from '../test-fixtures/echo-queue.js';
import { onBothBackends } from '../test-fixtures/test-clients.js';
import type { QueueClient } from './queue-client.js';

onBothBackends('a store that cannot be reached for a while', (backend, clients) => {
  let proxy: CuttableProxy;
  let asker: QueueClient;
  let worker: QueueClient;
  beforeEach(async () => {
    proxy = await cuttableProxy(backend.url());
    [asker, worker] = await Promise.all([
      clients.connect({ url: proxy.url }),
      clients.connect({ url: proxy.url }),
    ]);
  });
  afterEach(async () => {
    proxy.restore();
    await clients.closeAll();
    await proxy.close();
  });

  /** Settles like the promise, and says how long it took. */
  async function timed(work: Promise<unknown>): Promise<{ ms: number; code: unknown; enqueued: unknown }> {
    let failure: { code?: unknown; details?: { enqueued?: unknown } } | undefined;
    const ms = await calmMsOf(() => work.catch((error: object) => (failure = error)));
    return { ms, code: failure?.code, enqueued: failure?.details?.enqueued };
  }

  it('fails what somebody waits for within three seconds, and says that nothing was stored', async () => {
    const queue = echoQueue('cut');
    proxy.cut();
    await eventually(async () => (await timed(asker.ping())).code === 'queue_unavailable');
    const calls = [
      asker.enqueue(queue, { n: 1 }),
      asker.enqueueMany(queue, [{ payload: { n: 1 }, jobId: 'a' }]),
      asker.request(queue, { n: 1 }, { timeoutMs: 60_000 }),
      asker.publish(topics.toolCallCancel, { callId: randomUUID() }),
      asker.remove(queue, 'a'),
      asker.counts(queue),
      asker.exists(queue, ['a']),
    ];
    for (const { ms, code, enqueued } of await Promise.all(calls.map(timed))) {
      expect({ code, enqueued }).toEqual({ code: 'queue_unavailable', enqueued: 'no' });
      expect(ms).toBeLessThan(3_000);
    }
  });

  it('fails them in time although connections stay open and nothing answers', async () => {
    const queue = echoQueue('frozen');
    await asker.enqueue(queue, { n: 1 });
    proxy.freeze();
    const outcomes = await Promise.all([
      timed(asker.enqueue(queue, { n: 2 })),
      timed(asker.ping()),
      timed(asker.counts(queue)),
    ]);
    for (const { ms, code } of outcomes) {
      expect(code).toBe('queue_unavailable');
      expect(ms).toBeLessThan(3_500);
    }
    expect(outcomes[0]?.enqueued).toBe('unknown');
  });

  it('is served again by consumers, requests, topics and listeners of a reconnect, with nobody’s help', async () => {
    const queue = echoQueue('heals');
    const heard: string[] = [];
    let reconnects = 0;
    worker.consume(queue, async ({ n }) => ({ n: n + 1 }), { concurrency: 4 });
    await worker.subscribe(topics.toolCallCancel, ({ callId }) => void heard.push(callId));
    worker.onReconnect(() => (reconnects += 1));
    expect(await asker.request(queue, { n: 1 }, { timeoutMs: 5_000 })).toEqual({ n: 2 });
    for (let round = 1; round <= 3; round += 1) {
      proxy.cut();
      await eventually(async () => (await timed(worker.ping())).code === 'queue_unavailable');
      proxy.restore();
      const result = await eventually(() => asker.request(queue, { n: round }, { timeoutMs: 5_000 }));
      expect(result).toEqual({ n: round + 1 });
      await eventually(() => reconnects >= round);
      const callId = randomUUID();
      await asker.publish(topics.toolCallCancel, { callId });
      await eventually(() => heard.includes(callId));
    }
  }, 60_000);

  it('costs no answer that was given meanwhile', async () => {
    const queue = echoQueue('answers-meanwhile');
    const goOn = Promise.withResolvers<void>();
    let started = 0;
    worker.consume(
      queue,
      async ({ n }) => {
        started += 1;
        await goOn.promise;
        return { n };
      },
      { concurrency: 8 },
    );
    const { replyTo } = asker;
    const jobs = [1, 2, 3].map((n) => ({ payload: { n }, jobId: randomUUID(), replyTo }));
    const answers = jobs.map(({ jobId }) => asker.awaitAnswer(queue, jobId, { timeoutMs: 30_000 }));
    // What is cut off later is the answers alone: the store has said that it took the jobs.
    await asker.enqueueMany(queue, jobs);
    await eventually(() => started === 3);
    proxy.cut();
    await eventually(async () => (await timed(worker.ping())).code === 'queue_unavailable');
    goOn.resolve();
    await eventually(async () => (await timed(asker.enqueue(queue, { n: 9 }))).code === 'queue_unavailable');
    proxy.restore();
    expect(await Promise.all(answers)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    await eventually(async () => (await asker.counts(queue)).active === 0);
  }, 60_000);

  it('may be away when a client starts', async () => {
    proxy.cut();
    const early = await clients.connect({ url: proxy.url });
    await expect(early.ping()).rejects.toMatchObject({ code: 'queue_unavailable' });
    const queue = echoQueue('early');
    early.consume(queue, async ({ n }) => ({ n: n * 2 }), { concurrency: 1 });
    proxy.restore();
    expect(await eventually(() => early.request(queue, { n: 4 }, { timeoutMs: 5_000 }))).toEqual({ n: 8 });
  });

  it('does not keep a client from closing', async () => {
    const queue = echoQueue('closes');
    worker.consume(queue, async ({ n }) => ({ n }), { concurrency: 1 });
    expect(await asker.request(queue, { n: 1 }, { timeoutMs: 5_000 })).toEqual({ n: 1 });
    const pending = asker.awaitAnswer(queue, 'nobody', { timeoutMs: 60_000 });
    proxy.freeze();
    const outcomes = await Promise.all([
      timed(worker.close({ limitMs: 500 })),
      timed(asker.close()),
      timed(pending),
    ]);
    for (const { ms } of outcomes) expect(ms).toBeLessThan(8_000);
    expect(outcomes[2]?.code).toBe('queue_unavailable');
  });
});
