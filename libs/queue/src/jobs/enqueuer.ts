import { context, propagation } from '@opentelemetry/api';
import type { PayloadOf, QueueDefinition } from '@switchyard/contracts';
import type { Sealer } from '../sealer.js';
import { answersWithinMs, askStore } from './ask-store.js';
import { packJob } from './envelope.js';
import type { NewJob, QueueStore } from './queue-store.js';

/** One job to enqueue. `jobId` must be unique within its queue, and is free again once the job has ended. */
export type EnqueueItem<Q> = {
  payload: PayloadOf<Q>;
  jobId: string;
  delayMs?: number;
  /** From 1; the lower number goes first. A job without one goes before all that have one. */
  priority?: number;
  replyTo?: string | null;
  correlationId?: string;
};

const batchSize = 500;

/** Parses, seals and stores jobs. */
export class Enqueuer {
  readonly #store: QueueStore;
  readonly #sealer: Sealer;

  constructor(store: QueueStore, sealer: Sealer) {
    this.#store = store;
    this.#sealer = sealer;
  }

  /** Throws a `ZodError` for a payload that does not fit, before anything is stored, and else as `askStore` does. */
  async add<Q extends QueueDefinition>(queue: Q, items: EnqueueItem<Q>[]): Promise<void> {
    const jobs = items.map((item) => this.#toJob(queue, item));
    for (let from = 0; from < jobs.length; from += batchSize) {
      const batch = jobs.slice(from, from + batchSize);
      await askStore(
        this.#store,
        () => this.#store.add(queue.name, batch),
        answersWithinMs + 10 * (batch.length - 1),
      );
    }
  }

  #toJob<Q extends QueueDefinition>(queue: Q, item: EnqueueItem<Q>): NewJob {
    queue.payload.parse(item.payload);
    const { jobId, correlationId = jobId, replyTo = null, delayMs, priority } = item;
    const data = packJob(this.#sealer, queue, {
      body: JSON.stringify(item.payload),
      replyTo,
      correlationId,
      enqueuedAt: Date.now(),
      traceparent: currentTraceparent(),
    });
    return { id: checkedJobId(jobId), data, delayMs, priority };
  }
}

/** BullMQ takes no integer and no colon, nor do we want anything that needs quoting in a key. */
function checkedJobId(jobId: string): string {
  if (/^[\w.-]+$/.test(jobId) && !/^\d+$/.test(jobId)) return jobId;
  throw new TypeError('A job id is made of letters, digits, ".", "_" and "-", and is no number.');
}

function currentTraceparent(): string | undefined {
  const carrier: { traceparent?: string } = {};
  propagation.inject(context.active(), carrier);
  return carrier.traceparent;
}
