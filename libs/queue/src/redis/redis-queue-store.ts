import { randomUUID } from 'node:crypto';
import { Queue, Worker } from 'bullmq';
import { Redis, type RedisOptions, ReplyError } from 'ioredis';
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
import { jobName, jobOptions, queueOptions, workerOptions } from '../jobs/bullmq-options.js';
import type { RepeatStrategy } from '../jobs/scheduler-rule.js';
import { settledWithin } from '../timing.js';
import { patientConnection, promptConnection } from './redis-options.js';
import { depthAndAge, removeUntaken } from './redis-scripts.js';

type Options = {
  url: string;
  prefix: string;
  name: string;
  repeatStrategy: RepeatStrategy;
  report: (error: unknown) => void;
};

/** Scripts of ours, as ioredis defines them. */
interface Scripts {
  removeUntaken(...keysAndId: string[]): Promise<number>;
  depthAndAge(...keysAndPrefix: string[]): Promise<[number, number, number, string | null, string | null]>;
}

/**
 * BullMQ duplicates the workers' connection for the commands that block, and watches those itself. ioredis's socket
 * timeout would only outlive them: it does not end with its connection, and holds the process for half a minute.
 */
class WorkersRedis extends Redis {
  override duplicate(options?: RedisOptions): Redis {
    return new Redis({ ...this.options, ...options, socketTimeout: undefined });
  }
}

/**
 * Queues in Redis. Per process: one connection for what somebody waits for, which fails fast; once it consumes, one
 * that workers share, and one that blocks for each consumed queue.
 */
export class RedisQueueStore implements QueueStore {
  readonly #options: Options;
  readonly #client: Redis & Scripts;
  readonly #queues = new Map<string, Promise<Queue>>();
  #workers: Redis | undefined;
  #closed = false;

  constructor(options: Options) {
    this.#options = options;
    const client = new Redis(options.url, promptConnection(options.name));
    client.on('error', options.report);
    client.defineCommand('removeUntaken', { numberOfKeys: 5, lua: removeUntaken });
    client.defineCommand('depthAndAge', { numberOfKeys: 5, lua: depthAndAge });
    this.#client = client as Redis & Scripts;
  }

  async reachable(limitMs: number): Promise<boolean> {
    if (this.#client.status !== 'ready' && limitMs > 0) {
      let ready = () => {};
      await settledWithin(
        new Promise<void>((resolve) => this.#client.once('ready', (ready = resolve))),
        limitMs,
      );
      this.#client.off('ready', ready);
    }
    return this.#client.status === 'ready';
  }

  async add(queue: string, jobs: NewJob[]): Promise<void> {
    const target = await this.#queue(queue);
    const [first] = jobs;
    if (jobs.length === 1 && first) await target.add(jobName, first.data, jobOptions(first));
    else await target.addBulk(jobs.map((job) => ({ name: jobName, data: job.data, opts: jobOptions(job) })));
  }

  refused(error: unknown): boolean {
    return error instanceof ReplyError;
  }

  createWorker(queue: string, processor: StoreProcessor, settings: WorkerSettings): StoreWorker {
    this.#workers ??= this.#connectWorkers();
    return new Worker<unknown, void>(queue, processor, {
      ...workerOptions(settings, this.#options.repeatStrategy),
      connection: this.#workers,
      prefix: this.#options.prefix,
    });
  }

  async handBack(_queue: string, job: StoredJob, token: string): Promise<void> {
    await job.moveToWait(token);
  }

  async remove(queue: string, jobId: string): Promise<boolean> {
    const keys = [jobId, 'wait', 'paused', 'prioritized', 'delayed'].map((part) => this.#key(queue, part));
    return (await this.#client.removeUntaken(...keys, jobId)) > 0;
  }

  async existing(queue: string, jobIds: string[]): Promise<Set<string>> {
    const pipeline = this.#client.pipeline();
    for (const id of jobIds) pipeline.exists(this.#key(queue, id));
    const answers = (await pipeline.exec()) ?? [];
    const failure = answers.find(([error]) => error)?.[0];
    if (failure) throw failure;
    return new Set(jobIds.filter((_id, index) => answers[index]?.[1] === 1));
  }

  async schedulersOf(queue: string): Promise<SchedulerQueue> {
    return this.#queue(queue);
  }

  async counts(queue: string): Promise<QueueCounts> {
    const keys = ['wait', 'paused', 'prioritized', 'delayed', 'active'].map((part) => this.#key(queue, part));
    const [waiting, delayed, active, ...oldest] = await this.#client.depthAndAge(
      ...keys,
      this.#key(queue, ''),
    );
    const ages = oldest.map((dueAt) => (dueAt === null ? 0 : Date.now() - Number(dueAt)));
    return { waiting, delayed, active, oldestWaitingAgeMs: Math.max(0, ...ages) };
  }

  /** A key that is written once: it is gone, or another, when Redis has lost its data. */
  async incarnation(): Promise<string> {
    const key = `${this.#options.prefix}:incarnation`;
    await this.#client.set(key, randomUUID(), 'NX');
    return (await this.#client.get(key)) ?? '';
  }

  async ping(): Promise<void> {
    await this.#client.ping();
  }

  async close(): Promise<void> {
    this.#closed = true;
    const queues = await Promise.allSettled(this.#queues.values());
    for (const queue of queues)
      if (queue.status === 'fulfilled') void queue.value.close().catch(() => undefined);
    this.#client.disconnect();
    this.#workers?.disconnect();
  }

  #key(queue: string, part: string): string {
    return `${this.#options.prefix}:${queue}:${part}`;
  }

  #connectWorkers(): Redis {
    const connection = new WorkersRedis(this.#options.url, patientConnection(this.#options.name));
    connection.on('error', this.#options.report);
    return connection;
  }

  /** A queue object whose first contact failed never recovers, so it is dropped and made again at the next call. */
  async #queue(name: string): Promise<Queue> {
    const known = this.#queues.get(name);
    if (known) return known;
    const made = this.#openQueue(name);
    this.#queues.set(name, made);
    made.catch(() => this.#queues.delete(name));
    return made;
  }

  async #openQueue(name: string): Promise<Queue> {
    const queue = new Queue(name, {
      ...queueOptions(this.#options.repeatStrategy),
      connection: this.#client,
      prefix: this.#options.prefix,
    });
    queue.on('error', (error) => !this.#closed && this.#options.report(error));
    await queue.waitUntilReady();
    return queue;
  }
}
