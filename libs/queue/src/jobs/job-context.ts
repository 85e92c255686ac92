import type { EventOf, PayloadOf, QueueDefinition, ResultOf } from '@switchyard/contracts';

/** What a handler knows of its job, and what it may do with it besides returning the result. */
export interface JobContext<Q extends QueueDefinition = QueueDefinition> {
  readonly jobId: string;
  readonly correlationId: string;
  /** The name of the queue. */
  readonly queue: string;
  /** The asker's channel; null when nobody waits. */
  readonly replyTo: string | null;
  /** A worker took this job before and was lost: what it did is not known. */
  readonly redelivered: boolean;
  /** Epoch milliseconds. Of a scheduler's job: when the scheduler was stored. */
  readonly enqueuedAt: number;
  /**
   * The time for which a scheduler made this job (epoch milliseconds); null for any other job. It is part of the job's
   * id and not sealed: check that it is a time of the schedule and was not dealt with.
   */
  readonly scheduledFor: number | null;
  /**
   * Aborts with a `JobAborted` reason: `lock_lost` (the job is or will be handed out again, perhaps while this one
   * still runs) or `closing` (the time for a graceful end is over).
   */
  readonly signal: AbortSignal;
  /** Tells the asker something before the result. Lost without notice when nobody listens. */
  emit(event: EventOf<Q>): void;
  /** Answers the asker now; the handler may go on. What it returns later is not sent. Never rejects. */
  reply(result: ResultOf<Q>): Promise<void>;
  /** What the handler returns is not sent: another has this job's work by now, and answers the asker. */
  leaveAnswer(): void;
  /** Adds another job that takes over the asker; what the handler returns is not sent. Rejects like `enqueue`. */
  requeue(
    payload: PayloadOf<Q>,
    options: { delayMs: number; jobId: string; priority?: number },
  ): Promise<void>;
}

/** A handler returns the result, or nothing if it called `reply` or `requeue`. A throw means a broken platform. */
export type JobHandler<Q extends QueueDefinition> = (
  payload: import('@switchyard/contracts').ParsedPayloadOf<Q>,
  context: JobContext<Q>,
) => Promise<ResultOf<Q> | void>;

/** Why a handler's signal aborted. */
export class JobAborted extends Error {
  override readonly name = 'JobAborted';

  constructor(readonly why: 'lock_lost' | 'closing') {
    super(why === 'lock_lost' ? 'The lock of the job was lost.' : 'The worker is closing.');
  }
}
