import { expect, it } from '@jest/globals';
import { Inject, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { createLogger, KitModule, Metrics, Readiness, Shutdown } from '@switchyard/service-kit';
import { eventually } from '@switchyard/testing';
import { randomUUID } from 'node:crypto';
import { Writable } from 'node:stream';
import { echoQueue, testSealKey } from '../test-fixtures/echo-queue.js';
import { onBothBackends } from '../test-fixtures/test-clients.js';
import { QueueClient } from './queue-client.js';
import { QueueModule } from './queue.module.js';
import { Sealer } from './sealer.js';

onBothBackends('QueueModule', (backend, clients) => {
  async function start() {
    const lines: string[] = [];
    const destination = new Writable({
      write: (chunk, _encoding, done) => (lines.push(String(chunk)), done()),
    });
    const log = createLogger('test', { destination });
    const kit = { log, readiness: new Readiness(), metrics: new Metrics(), shutdown: new Shutdown(log) };
    const options = {
      url: { reveal: backend.url },
      prefix: backend.prefix,
      sealKey: testSealKey,
      service: 'test',
    };

    class Feature {
      constructor(
        readonly queue: QueueClient,
        readonly sealer: Sealer,
      ) {}
    }
    Inject(QueueClient)(Feature, undefined, 0);
    Inject(Sealer)(Feature, undefined, 1);
    class App {}
    Module({ imports: [KitModule.forRoot(kit), QueueModule.forRoot(options)], providers: [Feature] })(App);
    const app = await NestFactory.createApplicationContext(App, { logger: false });
    return { app, feature: app.get(Feature), lines, ...kit };
  }

  it('gives every feature the client and the sealer, and says whether the queue can be reached', async () => {
    const { app, feature, readiness, shutdown } = await start();
    readiness.serve();
    expect(await readiness.report()).toEqual({ ready: true, checks: { serving: true, queue: true } });
    expect(feature.sealer.verify('x', 1, new Sealer(testSealKey).seal('x', 1))).toBe(true);
    await app.close();
    await shutdown.close();
    expect((await readiness.report()).checks.queue).toBe(false);
  });

  it('tells depth and age of what it consumes, jobs by end, and those it set aside', async () => {
    const { app, feature, metrics, shutdown, lines } = await start();
    const queue = echoQueue('metered');
    const goOn = Promise.withResolvers<void>();
    feature.queue.consume(
      queue,
      async ({ n }) => {
        await goOn.promise;
        if (n === 1) throw new Error('broken');
        return { n };
      },
      { concurrency: 2 },
    );
    const forger = await clients.connect({ sealKey: 'x'.repeat(40) });
    const forged = randomUUID();
    await forger.enqueue(queue, { n: 13 }, { jobId: forged });
    await eventually(async () => (await forger.exists(queue, [forged])).size === 0);
    const items = [0, 1, 2].map((n) => ({ payload: { n }, jobId: randomUUID() }));
    await feature.queue.enqueueMany(queue, items);
    const scrape = () => metrics.registry.metrics();
    await eventually(async () => (await scrape()).includes('queue_jobs{queue="metered",state="active"} 2'));
    expect(await scrape()).toContain('queue_jobs{queue="metered",state="waiting"} 1');
    expect(await scrape()).toMatch(/queue_oldest_waiting_seconds\{queue="metered"\} 0\.\d+/);
    goOn.resolve();
    await eventually(async () => (await scrape()).includes('queue_jobs_total{queue="metered",end="done"} 2'));
    expect(await scrape()).toContain('queue_jobs_total{queue="metered",end="failed"} 1');
    expect(await scrape()).toContain('queue_jobs_rejected_total{queue="metered",why="forged"} 1');
    expect(await scrape()).toContain('queue_wait_seconds_count{queue="metered"} 3');
    expect(lines.join('')).toContain('forged');
    await app.close();
    await shutdown.stopTaking();
    await shutdown.close();
  });
});
