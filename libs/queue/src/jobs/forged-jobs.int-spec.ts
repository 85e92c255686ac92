import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { randomUUID } from 'node:crypto';
import { echoQueue } from '../../test-fixtures/echo-queue.js';
import { rawQueue } from '../../test-fixtures/raw-queue.js';
import { onBothBackends } from '../../test-fixtures/test-clients.js';
import type { QueueClient } from '../queue-client.js';
import type { JobEnvelope } from './envelope.js';

onBothBackends('a job that somebody else wrote into the store', (backend, clients) => {
  const queue = echoQueue('victim');
  const raw: Record<string, ReturnType<typeof rawQueue>> = {};
  const ran: number[] = [];
  const rejected: string[] = [];
  const reported: string[] = [];
  let asker: QueueClient;
  let genuine: JobEnvelope;
  let copied: JobEnvelope;

  beforeAll(async () => {
    for (const name of ['victim', 'source']) raw[name] = rawQueue(backend, name);
    asker = await clients.connect();
    const jobId = await asker.enqueue(echoQueue('source'), { n: 1 });
    genuine = (await raw.source?.getJob(jobId))?.data as JobEnvelope;
    // Before anybody takes it here.
    const ownId = await asker.enqueue(queue, { n: 99 });
    copied = (await raw.victim?.getJob(ownId))?.data as JobEnvelope;
    await asker.remove(queue, ownId);
    const metrics = {
      jobTaken() {},
      jobEnded() {},
      jobRejected: (_queue: string, why: string) => void rejected.push(why),
    };
    const worker = await clients.connect({ metrics, onError: (error) => reported.push(String(error)) });
    worker.consume(queue, async ({ n }) => (ran.push(n), { n }), { concurrency: 4 });
  });
  afterAll(async () => {
    await Promise.all(Object.values(raw).map((open) => open.close()));
  });

  it.each([
    ['made up', () => ({ n: 13, pad: 'content' })],
    ['with an altered payload', () => ({ ...genuine, body: '{"n":13,"pad":"content"}' })],
    ['moved here from another queue', () => genuine],
    ['copied under an id of its own', () => copied],
    ['with another asker', () => ({ ...genuine, replyTo: 'reply-mine' })],
  ])('is counted, set aside and never run: %s', async (_what, data) => {
    const before = rejected.length;
    const jobId = randomUUID();
    await raw.victim?.add('job', data(), { jobId, attempts: 5 });
    await eventually(() => rejected.length === before + 1);
    await eventually(async () => (await asker.exists(queue, [jobId])).size === 0);
    expect(rejected.at(-1)).toBe('forged');
    expect(ran).toEqual([]);
    expect(reported.join()).not.toContain('content');
  });

  it('stops nobody else from working', async () => {
    expect(await asker.request(queue, { n: 5 }, { timeoutMs: 5_000 })).toEqual({ n: 5 });
    ran.pop();
  });
});
