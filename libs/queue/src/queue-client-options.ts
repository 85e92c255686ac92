import type { AwaitOptions } from './jobs/answers.js';
import type { EnqueueItem } from './jobs/enqueuer.js';
import type { QueueMetrics } from './jobs/queue-metrics.js';
import type { NextTime } from './jobs/scheduler-rule.js';
import type { SealKey } from './sealer.js';

/** How to reach the queue. `prefix` keeps copies apart that share a store. */
export type QueueClientOptions = {
  /** `redis://…` or `postgres://…`. */
  url: string;
  sealKey: SealKey;
  /** The service's name, for the store's lists of connections. */
  service: string;
  prefix?: string;
  /** Hears of every trouble that heals or is handled here; the same one at most every ten seconds. */
  onError?: (error: unknown) => void;
  metrics?: QueueMetrics;
  /** For a client that stores schedulers, or consumes a queue that has some: when they are due. */
  nextTime?: NextTime;
};

/**
 * What `enqueue` may be told. `jobId` and `correlationId` default to each other, and to a new UUID when both are absent;
 * when both are given, the job id is the correlation id or that and a suffix after `-`.
 */
export type EnqueueOptions = Partial<Omit<EnqueueItem<never>, 'payload'>>;

/** What `request` may be told. */
export type RequestOptions<Q> = AwaitOptions<Q> &
  Pick<EnqueueOptions, 'jobId' | 'priority' | 'correlationId'>;

/** A lost worker's job is handed out again within ten seconds. */
export const defaultLock = { lockMs: 6_000, stalledMs: 3_000 };

/** How a queue is consumed. A job whose worker is lost is handed out again after at most `lockMs` + `stalledMs`. */
export type ConsumeOptions = { concurrency: number; lockMs?: number; stalledMs?: number };
