import { createPostgresBackend, type Queue, withBackend } from 'bullmq';
import pg from 'pg';
import { jobName, jobOptions, queueOptions, workerOptions } from '../jobs/bullmq-options.js';
import type {
  NewJob,
  QueueCounts,
  QueueStore,
  SchedulerQueue,
  StoredJob,
  StoreProcessor,
  StoreWorker,
  WorkerSettings,
} from '../jobs/queue-store.js';
import type { RepeatStrategy } from '../jobs/scheduler-rule.js';
import { settledWithin } from '../timing.js';
import { BullmqPool } from './bullmq-pool.js';
import { isRefusal } from './postgres-errors.js';
import type { PostgresListener } from './postgres-listener.js';
import * as sql from './postgres-statements.js';

const postgres = withBackend(createPostgresBackend);
const jobsChannel = 'bullmq_jobs';

type Options = {
  pool: pg.Pool;
  listener: PostgresListener;
  prefix: string;
  repeatStrategy: RepeatStrategy;
  report: (error: unknown) => void;
};

/** Queues in PostgreSQL, by BullMQ's own backend; what that backend lacks is done here and said at its place. */
export class PostgresQueueStore implements QueueStore {
  readonly #options: Options;
  readonly #queues = new Map<string, Promise<Queue>>();
  /** The consumed queues, by their name in the store. */
  readonly #consumed = new Map<string, { pool: BullmqPool; stalledMs: number }>();
  #watch: NodeJS.Timeout | undefined;
  #watching = false;
  #recoverAt = 0;

  constructor(options: Options) {
    this.#options = options;
    options.listener.add({
      notified: (channel, payload) => channel === jobsChannel && this.#consumed.get(payload)?.pool.wake(),
      up: () => this.#wakeAll(),
    });
  }

  async reachable(limitMs: number): Promise<boolean> {
    const { listener } = this.#options;
    if (!listener.isUp && limitMs > 0) {
      let stop = () => {};
      await settledWithin(new Promise<void>((resolve) => (stop = listener.add({ up: resolve }))), limitMs);
      stop();
    }
    return listener.isUp;
  }

  async add(queue: string, jobs: NewJob[]): Promise<void> {
    const target = await this.#queue(this.#name(queue));
    const [first] = jobs;
    if (jobs.length === 1 && first) await target.add(jobName, first.data, jobOptions(first));
    else await target.addBulk(jobs.map((job) => ({ name: jobName, data: job.data, opts: jobOptions(job) })));
  }

  refused(error: unknown): boolean {
    return isRefusal(error);
  }

  createWorker(queue: string, processor: StoreProcessor, settings: WorkerSettings): StoreWorker {
    const name = this.#name(queue);
    const pool = new BullmqPool(this.#options.pool, name);
    const worker = new postgres.Worker<unknown, void>(name, processor, {
      ...workerOptions(settings, this.#options.repeatStrategy),
      skipStalledCheck: true,
      connection: pool,
    });
    this.#consumed.set(name, { pool, stalledMs: settings.stalledMs });
    worker.on('closing', () => this.#consumed.get(name)?.pool === pool && this.#consumed.delete(name));
    void this.#options.listener.listen(jobsChannel);
    this.#watch ??= setInterval(() => void this.#watchQueues(), 1_000).unref();
    return worker as unknown as StoreWorker;
  }

  async handBack(queue: string, job: StoredJob, token: string): Promise<void> {
    await this.#options.pool.query(sql.handBack, [this.#name(queue), job.id, token]);
  }

  async remove(queue: string, jobId: string): Promise<boolean> {
    const { rowCount } = await this.#options.pool.query(sql.removeUntaken, [this.#name(queue), jobId]);
    return (rowCount ?? 0) > 0;
  }

  async existing(queue: string, jobIds: string[]): Promise<Set<string>> {
    const { rows } = await this.#options.pool.query<{ id: string }>(sql.existing, [
      this.#name(queue),
      jobIds,
    ]);
    return new Set(rows.map(({ id }) => id));
  }

  async schedulersOf(queue: string): Promise<SchedulerQueue> {
    return this.#queue(this.#name(queue));
  }

  async counts(queue: string): Promise<QueueCounts> {
    const { rows } = await this.#options.pool.query<Record<string, string>>(sql.counts, [this.#name(queue)]);
    const [row = {}] = rows;
    const oldest = Number(row.oldest ?? Date.now());
    return {
      waiting: Number(row.waiting),
      delayed: Number(row.delayed),
      active: Number(row.active),
      oldestWaitingAgeMs: Math.max(0, Date.now() - oldest),
    };
  }

  /** Kept in an unlogged table, which a crash of PostgreSQL empties: the queues may then lack their last commits. */
  async incarnation(): Promise<string> {
    const { rows } = await this.#options.pool.query<{ id: string }>(sql.incarnation);
    if (rows[0]) return rows[0].id;
    await this.#options.pool.query(sql.newIncarnation);
    return this.incarnation();
  }

  async ping(): Promise<void> {
    await this.#options.pool.query('SELECT 1');
  }

  async close(): Promise<void> {
    clearInterval(this.#watch);
    await this.#options.listener.close();
    await settledWithin(this.#options.pool.end(), 2_000);
  }

  /** BullMQ's `prefix` is Redis's alone; here it becomes part of the queue's name. */
  #name(queue: string): string {
    return this.#options.prefix === '' ? queue : `${this.#options.prefix}-${queue}`;
  }

  #wakeAll(): void {
    for (const { pool } of this.#consumed.values()) pool.wake();
  }

  /** One statement a second for all consumed queues: whatever became of a notification, no job waits longer. */
  async #watchQueues(): Promise<void> {
    if (this.#watching || !this.#options.listener.isUp || this.#consumed.size === 0) return;
    this.#watching = true;
    try {
      await this.#recoverStalled();
      const { rows } = await this.#options.pool.query<{ queue: string }>(sql.queuesWithWork, [
        [...this.#consumed.keys()],
        Date.now(),
      ]);
      for (const { queue } of rows) this.#consumed.get(queue)?.pool.wake();
    } catch (error) {
      this.#options.report(error);
    } finally {
      this.#watching = false;
    }
  }

  /**
   * Hands out again what lost workers held. BullMQ's own check is off: it costs four statements per queue and check,
   * needs two passes, and puts the job behind everything that waits, where Redis puts it in front.
   */
  async #recoverStalled(): Promise<void> {
    if (Date.now() < this.#recoverAt) return;
    this.#recoverAt =
      Date.now() + Math.min(...[...this.#consumed.values()].map(({ stalledMs }) => stalledMs)) - 500;
    await this.#options.pool.query(sql.recoverStalled, [[...this.#consumed.keys()], Date.now()]);
  }

  async #queue(name: string): Promise<Queue> {
    const known = this.#queues.get(name);
    if (known) return known;
    const made = this.#openQueue(name);
    this.#queues.set(name, made);
    made.catch(() => this.#queues.delete(name));
    return made;
  }

  async #openQueue(name: string): Promise<Queue> {
    const queue = new postgres.Queue(name, {
      ...queueOptions(this.#options.repeatStrategy),
      connection: new BullmqPool(this.#options.pool, name),
    });
    queue.on('error', (error) => this.#options.report(error));
    await queue.waitUntilReady();
    return queue as unknown as Queue;
  }
}
