import type { PayloadOf, QueueDefinition } from '@switchyard/contracts';
import type { RepeatOptions } from 'bullmq';
import type { Sealer } from '../sealer.js';
import { askStore } from './ask-store.js';
import { jobName, lastingOptions } from './bullmq-options.js';
import { openJob, packJob } from './envelope.js';
import { firingId, schedulerCorrelationId } from './firings.js';
import type { QueueStore, SchedulerQueue } from './queue-store.js';
import { type NextTime, printRule, type SchedulerRule, timeAfter } from './scheduler-rule.js';

/** What wakes the consumer of a queue, with what, and when. `id`: up to 100 letters, digits and `-`. */
export type Scheduler<Q> = { id: string; payload: PayloadOf<Q>; rule: SchedulerRule };

/** A scheduler in the store. `nextAt` is the time of its next job; in the past when that one waits, or was lost. */
export type StoredScheduler = { id: string; nextAt: number | null };

type Parts = { store: QueueStore; sealer: Sealer; nextTime: NextTime | undefined };

const pageSize = 100;

/** Job schedulers of BullMQ: each has one job in the store, the next, and whoever takes it stores the one after it. */
export class Schedulers {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async upsert<Q extends QueueDefinition>(queue: Q, scheduler: Scheduler<Q>): Promise<void> {
    const { id, payload, rule } = scheduler;
    if (!/^[A-Za-z0-9-]{1,100}$/.test(id))
      throw new TypeError('A scheduler’s id is made of letters, digits and "-".');
    queue.payload.parse(payload);
    const pattern = printRule(rule);
    if (this.#next(rule) === null) return void (await this.remove(queue, id));
    const body = JSON.stringify(payload);
    await askStore(this.#parts.store, async () => {
      const bullmq = await this.#parts.store.schedulersOf(queue.name);
      if (await this.#isStored(bullmq, queue, { id, body, pattern })) return;
      const data = this.#pack(queue, id, body);
      await bullmq.upsertJobScheduler(id, { pattern }, { name: jobName, data, opts: lastingOptions });
    });
  }

  async remove(queue: QueueDefinition, id: string): Promise<boolean> {
    return askStore(this.#parts.store, async () => {
      const bullmq = await this.#parts.store.schedulersOf(queue.name);
      const stored = await bullmq.getJobScheduler(id);
      const removed = await bullmq.removeJobScheduler(id);
      // BullMQ leaves a job that is due, and that nobody took yet.
      if (stored?.next)
        await this.#parts.store.remove(queue.name, firingId({ schedulerId: id, scheduledFor: stored.next }));
      return removed;
    });
  }

  /**
   * The latest first: a scheduler that fires between two pages then moves to one that was read. It may come twice, and
   * only what is removed meanwhile can hide another.
   */
  async list(queue: QueueDefinition): Promise<StoredScheduler[]> {
    const found = new Map<string, StoredScheduler>();
    for (let from = 0; ; from += pageSize) {
      const page = await askStore(this.#parts.store, async () => {
        const bullmq = await this.#parts.store.schedulersOf(queue.name);
        return bullmq.getJobSchedulers(from, from + pageSize - 1, false);
      });
      for (const { key, next } of page) found.set(key, { id: key, nextAt: next ?? null });
      if (page.length < pageSize) return [...found.values()];
    }
  }

  #next(rule: SchedulerRule): number | null {
    if (!this.#parts.nextTime)
      throw new Error('A client that stores schedulers has to be made with nextTime.');
    return timeAfter(this.#parts.nextTime, rule, Date.now());
  }

  /**
   * BullMQ would put the next job anew, and one that is due and waits would be lost. The job itself is looked at, not
   * the scheduler alone: it may have been lost, or have an older rule.
   */
  async #isStored(
    bullmq: SchedulerQueue,
    queue: QueueDefinition,
    wanted: { id: string; body: string; pattern: string },
  ): Promise<boolean> {
    const stored = await bullmq.getJobScheduler(wanted.id);
    if (!stored?.next || stored.pattern !== wanted.pattern) return false;
    const job = await bullmq.getJob(firingId({ schedulerId: wanted.id, scheduledFor: stored.next }));
    // What BullMQ's type of the options leaves out: the rule that this job goes on with.
    const { repeat } = (job?.opts ?? {}) as { repeat?: RepeatOptions };
    if (repeat?.pattern !== wanted.pattern) return false;
    const opened = openJob(this.#parts.sealer, queue, job?.data);
    return opened.status === 'ok' && opened.envelope.body === wanted.body;
  }

  /** No trace: what fires for months is no part of the request that stored it. */
  #pack(queue: QueueDefinition, id: string, body: string) {
    const correlationId = schedulerCorrelationId(id);
    return packJob(this.#parts.sealer, queue, { body, replyTo: null, correlationId, enqueuedAt: Date.now() });
  }
}
