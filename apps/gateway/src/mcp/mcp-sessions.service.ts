import { Injectable, type OnModuleInit } from '@nestjs/common';
import { PlatformError, topics } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import { LruMap } from '../tool-calls/lru-map.js';
import type { LogLevel } from './client-side.js';

/** Sessions that chose anything; the others need no place. */
const keptSessions = 20_000;
const maxSubscriptions = 1_000;

type Chosen = {
  readonly logLevel: LogLevel | undefined;
  /** Outward URIs. */
  readonly subscriptions: ReadonlySet<string>;
};
type Listener = (subscriptions: ReadonlySet<string>) => void;

const nothing: Chosen = { logLevel: undefined, subscriptions: new Set() };

/**
 * What the clients of legacy sessions chose after `initialize`: their log level, and the resources whose updates they want. Every
 * replica hears of it and keeps it in memory, since any may serve the session next; one that starts later knows nothing of it.
 */
@Injectable()
export class McpSessions implements OnModuleInit {
  readonly #chosen = new LruMap<string, Chosen>(keptSessions);
  readonly #listeners = new Map<string, Set<Listener>>();

  constructor(private readonly queue: QueueClient) {}

  async onModuleInit(): Promise<void> {
    await this.queue.subscribe(topics.mcpSessionChanged, ({ sessionId, ...change }) =>
      this.#apply(sessionId, change),
    );
  }

  logLevelOf(sessionId: string): LogLevel | undefined {
    return this.#chosen.get(sessionId)?.logLevel;
  }

  setLogLevel(sessionId: string, logLevel: LogLevel): Promise<void> {
    return this.#change(sessionId, { logLevel });
  }

  /** Throws `rate_limited` for one subscription too many. */
  async subscribe(sessionId: string, uri: string): Promise<void> {
    const { subscriptions } = this.#chosen.get(sessionId) ?? nothing;
    if (!subscriptions.has(uri) && subscriptions.size >= maxSubscriptions)
      throw new PlatformError('rate_limited', { message: 'The session has too many subscriptions.' });
    await this.#change(sessionId, { subscribed: uri });
  }

  unsubscribe(sessionId: string, uri: string): Promise<void> {
    return this.#change(sessionId, { unsubscribed: uri });
  }

  /** Tells the subscriptions of the session now and whenever they change, until the returned function is called. */
  follow(sessionId: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(sessionId) ?? new Set();
    this.#listeners.set(sessionId, listeners.add(listener));
    listener((this.#chosen.get(sessionId) ?? nothing).subscriptions);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(sessionId) === listeners)
        this.#listeners.delete(sessionId);
    };
  }

  /** The client ended the session. */
  forget(sessionId: string): void {
    this.#chosen.delete(sessionId);
  }

  async #change(sessionId: string, change: Change): Promise<void> {
    this.#apply(sessionId, change);
    await this.queue.publish(topics.mcpSessionChanged, { sessionId, ...change });
  }

  #apply(sessionId: string, { logLevel, subscribed, unsubscribed }: Change): void {
    const before = this.#chosen.get(sessionId) ?? nothing;
    const subscriptions = new Set(before.subscriptions);
    if (subscribed !== undefined) subscriptions.add(subscribed);
    if (unsubscribed !== undefined) subscriptions.delete(unsubscribed);
    this.#chosen.set(sessionId, { logLevel: logLevel ?? before.logLevel, subscriptions });
    if (subscribed === undefined && unsubscribed === undefined) return;
    for (const listener of this.#listeners.get(sessionId) ?? []) listener(subscriptions);
  }
}

type Change = {
  readonly logLevel?: LogLevel | undefined;
  readonly subscribed?: string | undefined;
  readonly unsubscribed?: string | undefined;
};
