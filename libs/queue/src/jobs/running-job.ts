import type { QueueDefinition } from '@switchyard/contracts';
import type { AnswerSender } from './answer-sender.js';
import type { Enqueuer } from './enqueuer.js';
import type { JobEnvelope } from './envelope.js';
import { firingOf } from './firings.js';
import { JobAborted, type JobContext } from './job-context.js';

type Parts = { queue: QueueDefinition; sender: AnswerSender; enqueuer: Enqueuer };
type Taken = { jobId: string; redelivered: boolean; envelope: JobEnvelope };

/** A job while its handler runs. */
export class RunningJob {
  readonly context: JobContext;
  /** When the store last said that the lock is ours; epoch milliseconds. */
  lockedAt = Date.now();
  readonly #abort = new AbortController();
  readonly #left = Promise.withResolvers<'left'>();
  readonly #parts: Parts;
  readonly #taken: Taken;
  #answered = false;
  #requeued = false;

  constructor(parts: Parts, taken: Taken) {
    this.#parts = parts;
    this.#taken = taken;
    const { correlationId, replyTo, enqueuedAt } = taken.envelope;
    this.context = {
      jobId: taken.jobId,
      queue: parts.queue.name,
      correlationId,
      replyTo,
      enqueuedAt,
      scheduledFor: firingOf(taken.jobId)?.scheduledFor ?? null,
      redelivered: taken.redelivered,
      signal: this.#abort.signal,
      emit: (event) => this.#emit(event),
      reply: (result) => this.#reply(result),
      leaveAnswer: () => void (this.#answered = true),
      requeue: (payload, options) => this.#requeue(payload, options),
    };
  }

  get requeued(): boolean {
    return this.#requeued;
  }

  get lockLost(): boolean {
    return this.#abort.signal.aborted && (this.#abort.signal.reason as JobAborted).why === 'lock_lost';
  }

  /** Resolves once nobody waits for the handler any more. */
  get left(): Promise<'left'> {
    return this.#left.promise;
  }

  abort(why: JobAborted['why']): void {
    this.#abort.abort(new JobAborted(why));
  }

  leave(): void {
    this.#left.resolve('left');
  }

  /** Sends what the handler returned, unless it has answered or handed the asker on. */
  async finish(result: unknown): Promise<void> {
    if (this.#answered || this.#requeued) return;
    if (result === undefined && this.#taken.envelope.replyTo === null) return;
    await this.#reply(result);
  }

  /** Tells the asker of a failure of the platform; not if another worker has the job now and will answer. */
  async fail(error: import('@switchyard/contracts').ErrorInfo): Promise<void> {
    const { replyTo, correlationId } = this.#taken.envelope;
    if (replyTo === null || this.#answered || this.#requeued || this.lockLost) return;
    this.#answered = true;
    await this.#parts.sender.answer(replyTo, { kind: 'error', to: correlationId, error });
  }

  #emit(event: unknown): void {
    const { replyTo, correlationId } = this.#taken.envelope;
    if (replyTo === null) return;
    this.#parts.sender.event(replyTo, {
      kind: 'event',
      to: correlationId,
      event: this.#parts.queue.event.parse(event),
    });
  }

  async #reply(result: unknown): Promise<void> {
    // Parsed where it is made: the asker trusts the seal of the bus.
    const parsed = this.#parts.queue.result.parse(result);
    const { replyTo, correlationId } = this.#taken.envelope;
    this.#answered = true;
    if (replyTo !== null)
      await this.#parts.sender.answer(replyTo, { kind: 'result', to: correlationId, result: parsed });
  }

  async #requeue(
    payload: unknown,
    options: { delayMs: number; jobId: string; priority?: number },
  ): Promise<void> {
    const { envelope } = this.#taken;
    // What a scheduler sealed is good for its own jobs alone.
    const { replyTo, correlationId } =
      this.context.scheduledFor === null ? envelope : { replyTo: null, correlationId: options.jobId };
    await this.#parts.enqueuer.add(this.#parts.queue, [
      { payload: payload as never, replyTo, correlationId, ...options },
    ]);
    this.#requeued = true;
  }
}
