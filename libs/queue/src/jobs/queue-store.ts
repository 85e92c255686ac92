import type { Job, Processor, Queue, Worker } from 'bullmq';
import type { JobEnvelope } from './envelope.js';

/** A job to be stored. */
export type NewJob = { id: string; data: JobEnvelope; delayMs?: number; priority?: number };

/** How a queue's jobs are taken. */
export type WorkerSettings = { concurrency: number; lockMs: number; stalledMs: number };

/** How full a queue is. `oldestWaitingAgeMs` is 0 when nothing waits. */
export type QueueCounts = { waiting: number; delayed: number; active: number; oldestWaitingAgeMs: number };

/** A job as BullMQ hands it out. */
export type StoredJob = Job<unknown, void>;

/** The processor that BullMQ calls; it returns nothing, since answers go over the bus. */
export type StoreProcessor = Processor<unknown, void>;

/** A worker of BullMQ, on whichever backend. It does not run until told. */
export type StoreWorker = Pick<
  Worker<unknown, void>,
  'run' | 'close' | 'on' | 'waitUntilReady' | 'isRunning' | 'name' | 'concurrency'
>;

/** A queue of BullMQ as far as schedulers need it, on whichever backend. */
export type SchedulerQueue = Pick<
  Queue<unknown, void>,
  'upsertJobScheduler' | 'getJobScheduler' | 'getJobSchedulers' | 'removeJobScheduler' | 'getJob'
>;

/** What the two backends offer. Where BullMQ's own call will not do, the backend's file says why. */
export interface QueueStore {
  /** Resolves to whether the store can be reached, after at most `limitMs`. */
  reachable(limitMs: number): Promise<boolean>;
  /** Stores all or, if the store refuses, none. A job whose id is there already is left as it is. */
  add(queue: string, jobs: NewJob[]): Promise<void>;
  /** Whether an error of `add` is the store's own refusal, so that nothing was stored. */
  refused(error: unknown): boolean;
  createWorker(queue: string, processor: StoreProcessor, settings: WorkerSettings): StoreWorker;
  /** Gives a job that this worker took and did not start back to its place in the line. */
  handBack(queue: string, job: StoredJob, token: string): Promise<void>;
  /** Atomically removes a job that nobody ever took. */
  remove(queue: string, jobId: string): Promise<boolean>;
  existing(queue: string, jobIds: string[]): Promise<Set<string>>;
  schedulersOf(queue: string): Promise<SchedulerQueue>;
  counts(queue: string): Promise<QueueCounts>;
  /** A mark that changes when the store has lost its data. */
  incarnation(): Promise<string>;
  ping(): Promise<void>;
  close(): Promise<void>;
}
