import type { NewJob, WorkerSettings } from './queue-store.js';
import type { RepeatStrategy } from './scheduler-rule.js';

/** BullMQ wants a name for each job; ours differ by queue alone. */
export const jobName = 'job';

/** Events are for BullMQ's `QueueEvents`, which we never use: keep few. */
export function queueOptions(repeatStrategy: RepeatStrategy) {
  return { streams: { events: { maxLen: 100 } }, settings: { repeatStrategy } };
}

/**
 * How every job is stored. It runs once as far as BullMQ is concerned, and leaves the store when it ends: a job that
 * stayed behind, even failed, would make the next one of the same id a no-op, and the sweeper re-enqueues by id.
 */
export const lastingOptions = { attempts: 1, removeOnComplete: true, removeOnFail: true };

/** How a job is stored that is no scheduler's. */
export function jobOptions(job: NewJob) {
  return {
    jobId: job.id,
    ...lastingOptions,
    ...(job.delayMs !== undefined && job.delayMs > 0 && { delay: job.delayMs }),
    ...(job.priority !== undefined && { priority: job.priority }),
  };
}

/** How jobs are taken: a job whose worker is lost is handed out again, however often that happens. */
export function workerOptions(settings: WorkerSettings, repeatStrategy: RepeatStrategy) {
  return {
    autorun: false,
    concurrency: settings.concurrency,
    lockDuration: settings.lockMs,
    stalledInterval: settings.stalledMs,
    maxStalledCount: 1_000_000,
    runRetryDelay: 1_000,
    drainDelay: 5,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
    settings: { repeatStrategy },
  };
}
