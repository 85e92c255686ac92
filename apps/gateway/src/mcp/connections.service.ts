import { Injectable, type OnModuleInit } from '@nestjs/common';
import { topics } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';

/** Tells those who wait for it that a user has connected an integration. */
@Injectable()
export class Connections implements OnModuleInit {
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(private readonly queue: QueueClient) {}

  async onModuleInit(): Promise<void> {
    await this.queue.subscribe(topics.credentialChanged, ({ integrationId, userId, state }) => {
      if (state !== 'active' || userId === null) return;
      for (const connected of this.#waiting.get(`${integrationId}:${userId}`) ?? []) connected();
    });
  }

  /** Resolves when the user has connected, when `timeoutMs` are over, or when the signal aborts. Never rejects. */
  async wait(integrationId: string, userId: string, { timeoutMs, signal }: Patience): Promise<void> {
    const key = `${integrationId}:${userId}`;
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, waiting.add(resolve));
    const timer = setTimeout(resolve, timeoutMs);
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (!signal.aborted) await promise;
    clearTimeout(timer);
    waiting.delete(resolve);
    if (waiting.size === 0) this.#waiting.delete(key);
  }
}

type Patience = { readonly timeoutMs: number; readonly signal: AbortSignal };
