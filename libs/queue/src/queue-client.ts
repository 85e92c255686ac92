import { randomUUID } from 'node:crypto';
import {
  type BusTopic,
  type MessageOf,
  type PayloadOf,
  PlatformError,
  type QueueDefinition,
  type ResultOf,
} from '@switchyard/contracts';
import { Bus } from './bus/bus.js';
import { AnswerSender } from './jobs/answer-sender.js';
import { Answers, type AwaitOptions } from './jobs/answers.js';
import { Consumer } from './jobs/consumer.js';
import { askStore, storeUnavailable } from './jobs/ask-store.js';
import { type EnqueueItem, Enqueuer } from './jobs/enqueuer.js';
import type { JobHandler } from './jobs/job-context.js';
import type { QueueMetrics } from './jobs/queue-metrics.js';
import type { QueueCounts, QueueStore } from './jobs/queue-store.js';
import { type Scheduler, Schedulers, type StoredScheduler } from './jobs/schedulers.js';
import { openBackend } from './open-backend.js';
import {
  type ConsumeOptions,
  defaultLock,
  type EnqueueOptions,
  type QueueClientOptions,
  type RequestOptions,
} from './queue-client-options.js';
import { Sealer } from './sealer.js';
import { StoreWatch } from './store-watch.js';
import { throttledReport } from './throttled-report.js';

const noMetrics: QueueMetrics = { jobTaken() {}, jobEnded() {}, jobRejected() {} };
const connectWithinMs = 3_000;

/** Clocks of hosts may differ by less than this: what is older was kept by somebody and sent again. */
const topicMaxAgeMs = 120_000;

/**
 * The queue and the bus, as one process sees them: enqueue, consume, request, publish, subscribe. Heals itself when
 * the store goes away and comes back; while it is away, what somebody waits for fails within three seconds.
 */
export class QueueClient {
  readonly #store: QueueStore;
  readonly #bus: Bus;
  readonly #answers = new Answers();
  readonly #sender: AnswerSender;
  readonly #enqueuer: Enqueuer;
  readonly #schedulers: Schedulers;
  readonly #sealer: Sealer;
  readonly #watch: StoreWatch;
  readonly #metrics: QueueMetrics;
  readonly #report: (error: unknown) => void;
  readonly #consumers = new Set<Consumer>();
  #closing: Promise<void> | undefined;

  /** Does nothing yet; `connect` makes a client that is ready. */
  constructor(options: QueueClientOptions) {
    this.#report = throttledReport(options.onError ?? (() => undefined));
    this.#metrics = options.metrics ?? noMetrics;
    this.#sealer = new Sealer(options.sealKey);
    const backend = openBackend({ ...options, report: this.#report });
    this.#store = backend.store;
    this.#bus = new Bus(backend.link, this.#sealer, this.#report);
    this.#sender = new AnswerSender(this.#bus, this.#report);
    this.#enqueuer = new Enqueuer(this.#store, this.#sealer);
    this.#schedulers = new Schedulers({
      store: this.#store,
      sealer: this.#sealer,
      nextTime: options.nextTime,
    });
    this.#watch = new StoreWatch(this.#store, this.#bus, this.#report);
  }

  /** A client that is connected, or that goes on trying if the store is away for now. */
  static async connect(options: QueueClientOptions): Promise<QueueClient> {
    const client = new QueueClient(options);
    await client.open();
    return client;
  }

  /** Connects; waits a little for the store and goes on trying without it. */
  async open(): Promise<void> {
    await this.#answers.open(this.#bus, this.#report);
    await this.#sender.open();
    await Promise.all([this.#bus.open(connectWithinMs), this.#store.reachable(connectWithinMs)]);
    await this.#watch.start();
  }

  /** The channel on which this process takes answers: for jobs that are enqueued apart from `awaitAnswer`. */
  get replyTo(): string {
    return this.#answers.channel;
  }

  /** The queues that this client consumes now. */
  get consumed(): QueueDefinition[] {
    return [...this.#consumers].map(({ queue }) => queue);
  }

  /**
   * Stores a job and resolves to its id. While a job of that id exists, does nothing. Throws a `ZodError` for a
   * payload that does not fit, and `queue_unavailable` within about three seconds when the store is away.
   */
  async enqueue<Q extends QueueDefinition>(
    queue: Q,
    payload: PayloadOf<Q>,
    options: EnqueueOptions = {},
  ): Promise<string> {
    const jobId = options.jobId ?? options.correlationId ?? randomUUID();
    await this.#enqueuer.add(queue, [{ ...options, payload, jobId }]);
    return jobId;
  }

  /** Stores many jobs, each as `enqueue` would. If it throws, some of them may have been stored. */
  async enqueueMany<Q extends QueueDefinition>(queue: Q, items: EnqueueItem<Q>[]): Promise<void> {
    if (items.length > 0) await this.#enqueuer.add(queue, items);
  }

  /**
   * Stores a job and waits for its result. Rejects with `deadline_exceeded`, `cancelled` (the signal; neither removes
   * the job), `queue_unavailable`, or the error of a worker whose platform broke.
   */
  async request<Q extends QueueDefinition>(
    queue: Q,
    payload: PayloadOf<Q>,
    options: RequestOptions<Q>,
  ): Promise<ResultOf<Q>> {
    const { priority } = options;
    const jobId = options.jobId ?? options.correlationId ?? randomUUID();
    const correlationId = options.correlationId ?? jobId;
    if (!(await this.#bus.whenUp(1_000))) throw storeUnavailable('no');
    const unwanted = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, unwanted.signal]) : unwanted.signal;
    const answer = this.#answers.wait<Q>(correlationId, { ...options, signal });
    answer.catch(() => undefined);
    try {
      await this.#enqueuer.add(queue, [{ payload, jobId, priority, correlationId, replyTo: this.replyTo }]);
    } catch (error) {
      await Promise.race([answer, this.#assertStored(queue, jobId, error)]).catch((failure: unknown) => {
        unwanted.abort();
        throw failure;
      });
    }
    return answer;
  }

  /**
   * Waits for the answer to a job that is enqueued by other means with this client's `replyTo`. Registers at once:
   * call it before the job is stored. Rejects as `request` does.
   */
  awaitAnswer<Q extends QueueDefinition>(
    _queue: Q,
    correlationId: string,
    options: AwaitOptions<Q>,
  ): Promise<ResultOf<Q>> {
    return this.#answers.wait<Q>(correlationId, options);
  }

  /** Takes the queue's jobs from now on. One consumer per queue and client. */
  consume<Q extends QueueDefinition>(queue: Q, handler: JobHandler<Q>, options: ConsumeOptions): Consumer {
    if (this.consumed.some(({ name }) => name === queue.name))
      throw new Error(`The queue ${queue.name} has a handler already.`);
    const parts = {
      store: this.#store,
      sealer: this.#sealer,
      sender: this.#sender,
      enqueuer: this.#enqueuer,
      metrics: this.#metrics,
      report: this.#report,
      closed: () => void this.#consumers.delete(consumer),
    };
    const settings = { ...defaultLock, ...options };
    const consumer: Consumer = new Consumer(parts, queue, handler as JobHandler<QueueDefinition>, settings);
    this.#consumers.add(consumer);
    return consumer;
  }

  /**
   * Wakes the consumer of `queue` with this payload at each time that the client's `nextTime` gives for the rule. Does
   * nothing when just this scheduler is there; puts its next job anew when rule or payload differ, or when that job was
   * lost; and removes it when there is no next time. Of the times at which nobody takes jobs only the first is kept.
   * Throws as `enqueue` does.
   */
  async upsertScheduler<Q extends QueueDefinition>(queue: Q, scheduler: Scheduler<Q>): Promise<void> {
    await this.#schedulers.upsert(queue, scheduler);
  }

  /** Removes a scheduler and the job that it has waiting; true if it was there. A job that was taken goes on. */
  async removeScheduler(queue: QueueDefinition, id: string): Promise<boolean> {
    return this.#schedulers.remove(queue, id);
  }

  /** All schedulers of the queue. Of those that are stored or removed meanwhile, some may be missing. */
  async schedulers(queue: QueueDefinition): Promise<StoredScheduler[]> {
    return this.#schedulers.list(queue);
  }

  /** Removes a job that nobody ever took; true if it was there and is gone. Rejects when the store is away. */
  async remove(queue: QueueDefinition, jobId: string): Promise<boolean> {
    return this.#ask(() => this.#store.remove(queue.name, jobId));
  }

  /** How full the queue is; cheap enough for every scrape. */
  async counts(queue: QueueDefinition): Promise<QueueCounts> {
    return this.#ask(() => this.#store.counts(queue.name));
  }

  /** Which of these jobs are in the store, waiting, delayed or taken. */
  async exists(queue: QueueDefinition, jobIds: string[]): Promise<Set<string>> {
    return jobIds.length === 0 ? new Set() : this.#ask(() => this.#store.existing(queue.name, jobIds));
  }

  /** Tells all who listen now. Rejects with `queue_unavailable` when the bus is down. */
  async publish<T extends BusTopic>(topic: T, message: MessageOf<T>): Promise<void> {
    topic.message.parse(message);
    await this.#ask(() => this.#bus.publish(`topic-${topic.name}`, message));
  }

  /** Hears a topic until the returned function is called. A message that does not fit is reported and dropped. */
  async subscribe<T extends BusTopic>(
    topic: T,
    handler: (message: MessageOf<T>) => void | Promise<void>,
  ): Promise<() => Promise<void>> {
    const hear = (message: unknown): void => {
      const parsed = topic.message.safeParse(message);
      if (!parsed.success) return this.#report(parsed.error);
      Promise.resolve(handler(parsed.data as MessageOf<T>)).catch(this.#report);
    };
    return this.#bus.subscribe(`topic-${topic.name}`, hear, { maxAgeMs: topicMaxAgeMs });
  }

  /**
   * Calls `fn` when the bus is back after a loss, or when the store turns out to have lost its data: messages, answers
   * and jobs may be missing.
   */
  onReconnect(fn: () => void): void {
    this.#watch.onReconnect(fn);
  }

  /** Resolves when store and bus can be reached; else rejects with `queue_unavailable`. */
  async ping(): Promise<void> {
    if (!(await this.#bus.whenUp(0))) throw storeUnavailable('no');
    await this.#ask(() => this.#store.ping());
  }

  /** Ends the consumers as `Consumer.close` says; what waits for answers goes on. */
  async stopConsuming(options: { limitMs?: number } = {}): Promise<void> {
    await Promise.all([...this.#consumers].map((consumer) => consumer.close(options)));
  }

  /** Ends the consumers, then the waits, then the connections. */
  async close(options: { limitMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options);
    return this.#closing;
  }

  async #close(options: { limitMs?: number }): Promise<void> {
    await this.stopConsuming(options);
    this.#watch.stop();
    await this.#sender.close(1_000);
    this.#answers.close();
    await this.#bus.close();
    await this.#store.close();
  }

  /**
   * After an add whose fate is not known: takes the job back if nobody took it, and then, like an add that certainly
   * failed, throws. Returns if the job turns out to be there.
   */
  async #assertStored(queue: QueueDefinition, jobId: string, error: unknown): Promise<void> {
    if (!(error instanceof PlatformError) || error.details?.enqueued !== 'unknown') throw error;
    const ask = <T>(question: () => Promise<T>) =>
      askStore(this.#store, question, 500).catch(() => Promise.reject(error));
    if (await ask(() => this.#store.remove(queue.name, jobId))) throw storeUnavailable('no', error);
    const there = await ask(() => this.#store.existing(queue.name, [jobId]));
    if (!there.has(jobId)) throw error;
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    return askStore(this.#store, question);
  }
}
