import { afterEach, beforeAll, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { randomUUID } from 'node:crypto';
import { echoQueue } from '../../test-fixtures/echo-queue.js';
import { buildForWorkers, spawnWorker, type WorkerProcess } from '../../test-fixtures/spawn-worker.js';
import { onBothBackends } from '../../test-fixtures/test-clients.js';
import { defaultLock } from '../queue-client-options.js';

const queue = echoQueue();

it('a lock and the look for lost ones are over within ten seconds', () => {
  // What follows from it is not timed: a busy machine starts processes and timers late.
  expect(defaultLock.lockMs + defaultLock.stalledMs).toBeLessThan(10_000);
});

onBothBackends('a worker killed with SIGKILL', (backend, clients) => {
  const workers: WorkerProcess[] = [];
  const spawn = async (what: 'hang' | 'answer') => {
    const worker = await spawnWorker(backend, what);
    workers.push(worker);
    return worker;
  };
  beforeAll(buildForWorkers);
  afterEach(() => Promise.all(workers.splice(0).map((worker) => worker.kill())));

  it('loses its job to another once its lock is over, before all that waits, marked as redelivered, once', async () => {
    const asker = await clients.connect();
    const doomed = await spawn('hang');
    const jobId = randomUUID();
    const answer = asker.request(queue, { n: 1 }, { jobId, timeoutMs: 30_000 });
    await eventually(() => doomed.taken.length === 1);
    expect(doomed.taken).toEqual([{ taken: jobId, redelivered: false }]);
    await doomed.kill();
    expect(await asker.remove(queue, jobId)).toBe(false);
    const waiting = Array.from({ length: 200 }, (_, n) => ({ payload: { n }, jobId: randomUUID() }));
    await asker.enqueueMany(queue, waiting);
    // Its eight slots fill with jobs that never end, so that the others wait while the lost one comes back.
    const full = await spawn('hang');
    await eventually(() => full.taken.length === 8);
    await eventually(async () => (await asker.counts(queue)).active === 8);
    const heir = await spawn('answer');
    expect(await answer).toEqual({ n: 2 });
    expect(heir.taken[0]).toEqual({ taken: jobId, redelivered: true });
    await eventually(() => heir.taken.length === 193);
    expect(heir.taken.filter(({ redelivered }) => redelivered)).toHaveLength(1);
    expect(await asker.exists(queue, [jobId])).toEqual(new Set());
  }, 60_000);
});
