import { Injectable, type OnModuleInit } from '@nestjs/common';
import { topics } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import { Log } from '@switchyard/service-kit';
import type { Session } from './session-token.js';

/**
 * The requests of legacy sessions that run here. Their cancellation is a POST of its own, which may reach any
 * replica, so one that is not known here is passed on to all.
 */
@Injectable()
export class RunningRequests implements OnModuleInit {
  readonly #cancels = new Map<string, () => void>();

  constructor(
    private readonly queue: QueueClient,
    private readonly log: Log,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.queue.subscribe(topics.requestCancelled, ({ sessionId, requestId }) => {
      this.#cancels.get(keyOf(sessionId, requestId))?.();
    });
  }

  /** Remembers how to cancel the request, until the returned function is called. Without a session nobody can name it. */
  add(session: Session | undefined, requestId: string | number, cancel: () => void): () => void {
    if (!session) return () => undefined;
    const key = keyOf(session.id, JSON.stringify(requestId));
    this.#cancels.set(key, cancel);
    return () => {
      if (this.#cancels.get(key) === cancel) this.#cancels.delete(key);
    };
  }

  cancel(session: Session, requestId: string | number): void {
    const id = JSON.stringify(requestId);
    const cancel = this.#cancels.get(keyOf(session.id, id));
    if (cancel) return cancel();
    this.queue
      .publish(topics.requestCancelled, { sessionId: session.id, requestId: id })
      .catch((err: unknown) => this.log.warn({ err }, 'a cancellation could not be passed on'));
  }
}

function keyOf(sessionId: string, requestId: string): string {
  return `${sessionId} ${requestId}`;
}
