import { Injectable, type OnModuleInit } from '@nestjs/common';
import { PlatformError, topics } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import { Log } from '@switchyard/service-kit';
import { LruMap } from '../tool-calls/lru-map.js';
import type { LogLevel } from './client-side.js';
import { mostWatched } from './resource-watch.service.js';

/** Sessions that chose anything; of the others it is only known that they were met. */
const keptSessions = 20_000;
const keptMet = 50_000;

type Chosen = {
  readonly logLevel: LogLevel | undefined;
  /** Outward URIs. */
  readonly subscriptions: ReadonlySet<string>;
  readonly hasEnded: boolean;
};
type Listener = (subscriptions: ReadonlySet<string>) => void;

const nothing: Chosen = { logLevel: undefined, subscriptions: new Set(), hasEnded: false };

/**
 * What the clients of legacy sessions chose after `initialize`: their log level, and the resources whose updates they want. Every
 * replica hears of it and keeps it in memory, since any may serve the session next; one that started later asks the others.
 */
@Injectable()
export class McpSessions implements OnModuleInit {
  readonly #chosen = new LruMap<string, Chosen>(keptSessions);
  readonly #met = new LruMap<string, true>(keptMet);
  readonly #listeners = new Map<string, Set<Listener>>();

  constructor(
    private readonly queue: QueueClient,
    private readonly log: Log,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.queue.subscribe(topics.mcpSessionChanged, ({ sessionId, ...change }) =>
      this.#apply(sessionId, change),
    );
    await this.queue.subscribe(topics.mcpSessionWanted, ({ sessionId }) => this.#sayAgain(sessionId));
  }

  /** A request of the session is served here. What its client chose before may come a moment later. */
  meet(sessionId: string): void {
    if (this.#met.get(sessionId)) return;
    this.#met.set(sessionId, true);
    if (this.#chosen.get(sessionId)) return;
    this.queue
      .publish(topics.mcpSessionWanted, { sessionId })
      .catch((err: unknown) => this.log.warn({ err }, 'nobody could be asked about a session'));
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
    if (!subscriptions.has(uri) && subscriptions.size >= mostWatched)
      throw new PlatformError('rate_limited', { message: 'The session has too many subscriptions.' });
    await this.#change(sessionId, { subscribed: [uri] });
  }

  unsubscribe(sessionId: string, uri: string): Promise<void> {
    return this.#change(sessionId, { unsubscribed: [uri] });
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

  /** The client ended the session. Its token opens for a while longer, but is refused. */
  end(sessionId: string): Promise<void> {
    return this.#change(sessionId, { hasEnded: true });
  }

  hasEnded(sessionId: string): boolean {
    return this.#chosen.get(sessionId)?.hasEnded ?? false;
  }

  async #change(sessionId: string, change: Change): Promise<void> {
    this.#apply(sessionId, change);
    await this.#say(sessionId, change);
  }

  async #sayAgain(sessionId: string): Promise<void> {
    const chosen = this.#chosen.get(sessionId);
    if (!chosen) return;
    const { logLevel, subscriptions, hasEnded } = chosen;
    await this.#say(sessionId, {
      logLevel,
      subscribed: [...subscriptions],
      hasEnded: hasEnded || undefined,
    });
  }

  #say(sessionId: string, { logLevel, subscribed, unsubscribed, hasEnded }: Change): Promise<void> {
    return this.queue.publish(topics.mcpSessionChanged, {
      sessionId,
      ...(logLevel && { logLevel }),
      ...(subscribed && { subscribed: [...subscribed] }),
      ...(unsubscribed && { unsubscribed: [...unsubscribed] }),
      ...(hasEnded && { hasEnded }),
    });
  }

  #apply(sessionId: string, change: Change): void {
    const before = this.#chosen.get(sessionId) ?? nothing;
    const { subscribed = [], unsubscribed = [], hasEnded = before.hasEnded } = change;
    const kept = [...before.subscriptions, ...subscribed].filter((uri) => !unsubscribed.includes(uri));
    const subscriptions = new Set(hasEnded ? [] : kept);
    this.#chosen.set(sessionId, {
      logLevel: change.logLevel ?? before.logLevel,
      subscriptions,
      hasEnded,
    });
    if (subscribed.length + unsubscribed.length === 0) return;
    for (const listener of this.#listeners.get(sessionId) ?? []) listener(subscriptions);
  }
}

type Change = {
  readonly logLevel?: LogLevel | undefined;
  readonly subscribed?: readonly string[] | undefined;
  readonly unsubscribed?: readonly string[] | undefined;
  readonly hasEnded?: true | undefined;
};
