import { randomUUID } from 'node:crypto';
import {
  type ErrorInfo,
  type EventOf,
  PlatformError,
  type QueueDefinition,
  type ResultOf,
} from '@switchyard/contracts';
import type { Bus } from '../bus/bus.js';
import { resendChannel } from './answer-sender.js';

/** What travels to an asker's channel. */
export type AnswerMessage =
  | { kind: 'event'; to: string; event: unknown }
  | { kind: 'result'; to: string; result: unknown }
  | { kind: 'error'; to: string; error: ErrorInfo };

/** How long to wait for an answer, and what to do with events before it. */
export type AwaitOptions<Q> = {
  timeoutMs: number;
  onEvent?: (event: EventOf<Q>) => void;
  signal?: AbortSignal;
};

type Waiter = {
  onEvent?: (event: never) => void;
  resolve(result: unknown): void;
  reject(error: PlatformError): void;
};

/**
 * The answers that this process waits for, on a channel of its own, by correlation id. Whoever asks registers before
 * the job is stored, so no answer comes too early; an answer that nobody waits for any more is dropped.
 */
export class Answers {
  /** The channel to which answers for this process go. */
  readonly channel = `reply-${randomUUID()}`;
  readonly #waiters = new Map<string, Set<Waiter>>();

  async open(bus: Bus, report: (error: unknown) => void): Promise<void> {
    await bus.subscribe(this.channel, (message) => this.#deliver(message as AnswerMessage));
    bus.onUp(() => {
      if (this.#waiters.size > 0) bus.publish(resendChannel, this.channel).catch(report);
    });
  }

  /** Registers at once. Rejects with `deadline_exceeded`, `cancelled`, or the platform's error that the worker met. */
  wait<Q extends QueueDefinition>(correlationId: string, options: AwaitOptions<Q>): Promise<ResultOf<Q>> {
    const { timeoutMs, onEvent, signal } = options;
    return new Promise<ResultOf<Q>>((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', cancel);
        this.#forget(correlationId, waiter);
      };
      const cancel = () => waiter.reject(new PlatformError('cancelled', { cause: signal?.reason }));
      const waiter: Waiter = {
        onEvent: onEvent as Waiter['onEvent'],
        resolve: (result) => (end(), resolve(result as ResultOf<Q>)),
        reject: (error) => (end(), reject(error)),
      };
      const timer = setTimeout(
        () => waiter.reject(new PlatformError('deadline_exceeded')),
        Math.max(0, timeoutMs),
      );
      this.#remember(correlationId, waiter);
      if (signal?.aborted) cancel();
      else signal?.addEventListener('abort', cancel, { once: true });
    });
  }

  /** Ends every wait: the process closes. */
  close(): void {
    const open = [...this.#waiters.values()].flatMap((waiters) => [...waiters]);
    for (const waiter of open)
      waiter.reject(new PlatformError('queue_unavailable', { message: 'This process is shutting down.' }));
  }

  #remember(correlationId: string, waiter: Waiter): void {
    const waiters = this.#waiters.get(correlationId) ?? new Set();
    this.#waiters.set(correlationId, waiters.add(waiter));
  }

  #forget(correlationId: string, waiter: Waiter): void {
    const waiters = this.#waiters.get(correlationId);
    waiters?.delete(waiter);
    if (waiters?.size === 0) this.#waiters.delete(correlationId);
  }

  #deliver(message: AnswerMessage): void {
    for (const waiter of [...(this.#waiters.get(message.to) ?? [])]) {
      if (message.kind === 'event') waiter.onEvent?.(message.event as never);
      else if (message.kind === 'result') waiter.resolve(message.result);
      else waiter.reject(PlatformError.fromInfo(message.error));
    }
  }
}
