import { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { PlatformError, type QueueDefinition, toPlatformError } from '@switchyard/contracts';
import { UnrecoverableError, WaitingError } from 'bullmq';
import { setTimeout as delay } from 'node:timers/promises';
import type { Sealer } from '../sealer.js';
import { settledWithin } from '../timing.js';
import type { AnswerSender } from './answer-sender.js';
import type { Enqueuer } from './enqueuer.js';
import { type JobEnvelope, openJob } from './envelope.js';
import { isItsOwn } from './firings.js';
import type { JobContext, JobHandler } from './job-context.js';
import type { JobEnd, QueueMetrics } from './queue-metrics.js';
import type { QueueStore, StoredJob, StoreWorker, WorkerSettings } from './queue-store.js';
import { RunningJob } from './running-job.js';

/** What a consumer needs of its client. */
export type ConsumerParts = {
  store: QueueStore;
  sealer: Sealer;
  sender: AnswerSender;
  enqueuer: Enqueuer;
  metrics: QueueMetrics;
  report: (error: unknown) => void;
  /** Called once, when a consumer has ended. */
  closed: () => void;
};

/** After the limit of a graceful end the handlers' signals abort, and they have this long to notice. */
const graceMs = 2_000;

/** For what the worker still has to tell the store. */
const lastWordMs = 1_000;

/** Takes the jobs of one queue. */
export class Consumer {
  readonly queue: QueueDefinition;
  readonly #parts: ConsumerParts;
  readonly #handler: JobHandler<QueueDefinition>;
  #settings: WorkerSettings;
  readonly #running = new Map<string, RunningJob>();
  readonly #lockWatch: NodeJS.Timeout;
  readonly #lockLookMs: number;
  #lockSeenAt = Date.now();
  #worker: StoreWorker | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    parts: ConsumerParts,
    queue: QueueDefinition,
    handler: JobHandler<QueueDefinition>,
    settings: WorkerSettings,
  ) {
    this.#parts = parts;
    this.queue = queue;
    this.#handler = handler;
    this.#settings = settings;
    this.#lockLookMs = Math.min(1_000, settings.lockMs / 4);
    this.#lockWatch = setInterval(() => this.#abortExpired(), this.#lockLookMs).unref();
    void this.#keepWorking();
  }

  /** How many jobs run at once from now on; those that run stay. */
  set concurrency(concurrency: number) {
    this.#settings = { ...this.#settings, concurrency };
    if (this.#worker) this.#worker.concurrency = concurrency;
  }

  /**
   * Takes nothing more, waits for running handlers up to `limitMs`, hands back what never started, then aborts the
   * signals of handlers that still run; what does not end even then is handed out again once its lock runs out.
   */
  async close(options: { limitMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.limitMs ?? 20_000);
    return this.#closing;
  }

  async #close(limitMs: number): Promise<void> {
    const closed = this.#worker?.close().catch(this.#parts.report) ?? Promise.resolve();
    if (!(await this.#drains(closed, limitMs)) && this.#running.size > 0) {
      for (const job of this.#running.values()) job.abort('closing');
      await settledWithin(closed, graceMs);
      for (const job of this.#running.values()) job.leave();
    }
    await settledWithin(closed, lastWordMs);
    clearInterval(this.#lockWatch);
    this.#parts.closed();
  }

  /** Whether the worker comes to its end in time. Without a store it never does: no use in waiting with idle hands. */
  async #drains(closed: Promise<void>, limitMs: number): Promise<boolean> {
    for (const giveUpAt = Date.now() + limitMs; Date.now() < giveUpAt;) {
      if (await settledWithin(closed, Math.min(500, limitMs))) return true;
      if (this.#running.size === 0 && !(await this.#parts.store.reachable(0))) return false;
    }
    return false;
  }

  /** A worker whose first contact with the store failed, or whose loop broke, never recovers: it is made anew. */
  async #keepWorking(): Promise<void> {
    while (!this.#closing) {
      const worker = this.#parts.store.createWorker(
        this.queue.name,
        (job, token) => this.#process(job, token),
        this.#settings,
      );
      this.#worker = worker;
      worker.on('error', (error) => this.#parts.report(error));
      worker.on('lockRenewalFailed', (jobIds) =>
        jobIds.forEach((id) => this.#running.get(id)?.abort('lock_lost')),
      );
      worker.on('locksRenewed', ({ jobIds }) => this.#lockRenewed(jobIds));
      await worker
        .waitUntilReady()
        .then(() => worker.run())
        .catch(this.#parts.report);
      if (this.#closing) return;
      await worker.close(true).catch(this.#parts.report);
      await delay(1_000);
    }
  }

  async #process(job: StoredJob, token = ''): Promise<void> {
    if (this.#closing) return this.#handBack(job, token);
    const jobId = job.id ?? '';
    const opened = openJob(this.#parts.sealer, this.queue, job.data);
    if (opened.status === 'forged' || !isItsOwn(jobId, opened.envelope))
      return this.#setAside(jobId, 'forged');
    const taken = { jobId, redelivered: job.stalledCounter > 0, envelope: opened.envelope };
    const running = new RunningJob({ queue: this.queue, ...this.#parts }, taken);
    if (opened.status === 'invalid') {
      await running.fail(new PlatformError('internal').toInfo());
      return this.#setAside(jobId, 'invalid');
    }
    this.#parts.metrics.jobTaken(this.queue.name, Date.now() - dueAt(job, opened.envelope, running.context));
    this.#running.set(jobId, running);
    try {
      await this.#inSpan(opened.envelope, () => this.#run(running, opened.payload));
    } finally {
      this.#running.delete(jobId);
    }
  }

  async #run(running: RunningJob, payload: unknown): Promise<void> {
    const startedAt = Date.now();
    const ended = (end: JobEnd) => this.#parts.metrics.jobEnded(this.queue.name, end, Date.now() - startedAt);
    try {
      const handled = this.#handler(payload as never, running.context).then((result) =>
        running.finish(result),
      );
      if ((await Promise.race([handled, running.left])) === 'left') {
        handled.catch(this.#parts.report);
        ended('left');
        // BullMQ takes this error to mean that the job was moved already, and leaves it active until its lock runs out.
        throw new WaitingError();
      }
      ended(running.requeued ? 'requeued' : 'done');
    } catch (error) {
      if (error instanceof WaitingError) throw error;
      ended('failed');
      this.#parts.report(error);
      await running.fail(toPlatformError(error).toInfo());
      throw new UnrecoverableError(toPlatformError(error).code);
    }
  }

  /** BullMQ had fetched the job when the worker began to close; nobody has seen it. */
  async #handBack(job: StoredJob, token: string): Promise<never> {
    await this.#parts.store.handBack(this.queue.name, job, token);
    throw new WaitingError();
  }

  #setAside(jobId: string, why: 'forged' | 'invalid'): never {
    this.#parts.metrics.jobRejected(this.queue.name, why);
    this.#parts.report(
      new Error(`job ${JSON.stringify(jobId.slice(0, 100))} of ${this.queue.name} was set aside: ${why}`),
    );
    throw new UnrecoverableError(why);
  }

  #lockRenewed(jobIds: string[]): void {
    for (const id of jobIds) {
      const job = this.#running.get(id);
      if (job) job.lockedAt = Date.now();
    }
  }

  /**
   * While the store is away nobody says that a lock is lost, and yet it runs out. After a stall of this process the
   * next renewal tells better than the clock.
   */
  #abortExpired(): void {
    const now = Date.now();
    const stalled = now - this.#lockSeenAt > 2 * this.#lockLookMs;
    this.#lockSeenAt = now;
    if (stalled) return;
    for (const job of this.#running.values()) {
      if (job.lockedAt < now - this.#settings.lockMs) job.abort('lock_lost');
    }
  }

  async #inSpan(envelope: JobEnvelope, work: () => Promise<void>): Promise<void> {
    const parent = propagation.extract(ROOT_CONTEXT, envelope.trace);
    const attributes = {
      'messaging.destination.name': this.queue.name,
      'messaging.message.id': envelope.correlationId,
    };
    const span = trace
      .getTracer('switchyard')
      .startSpan(`process ${this.queue.name}`, { kind: SpanKind.CONSUMER, attributes }, parent);
    try {
      await context.with(trace.setSpan(parent, span), work);
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  }
}

/** A scheduler's job was sealed when its scheduler was stored, perhaps months ago. */
function dueAt(job: StoredJob, { enqueuedAt }: JobEnvelope, { scheduledFor }: JobContext): number {
  return scheduledFor ?? enqueuedAt + (job.opts.delay ?? 0);
}
