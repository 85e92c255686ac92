import { Injectable, type OnModuleInit } from '@nestjs/common';
import { PlatformError, topics } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import { Log, LruMap } from '@switchyard/service-kit';
import type { LogLevel } from './client-side.js';
import { mostWatched } from './resource-watch.service.js';
import { SessionMemory } from './session-memory.js';

/** Of sessions that chose anything; of the others it is only known that they were met. */
const kept = { sessions: 20_000, bytes: 128 * 1024 * 1024, bytesOfHolder: 4 * 1024 * 1024 };
const mostBytes = 256 * 1024;
/** Of a session, and of a URI, besides its characters. */
const bytesBesides = { session: 256, uri: 64 };
const keptMet = 50_000;

/** A session, and the key or user to whom it belongs. */
export type OwnedSession = { readonly id: string; readonly holder: string };

type Chosen = {
  /** Absent where another release told of it. */
  readonly holder: string | undefined;
  readonly logLevel: LogLevel | undefined;
  /** Outward URIs. */
  readonly subscriptions: ReadonlySet<string>;
  readonly hasEnded: boolean;
};
type Listener = (subscriptions: ReadonlySet<string>) => void;

const nothing: Chosen = { holder: undefined, logLevel: undefined, subscriptions: new Set(), hasEnded: false };

/**
 * What the clients of legacy sessions chose after `initialize`: their log level, and the resources whose updates they want. Every
 * replica hears of it and keeps it in memory, since any may serve the session next; one that started later asks the others.
 */
@Injectable()
export class McpSessions implements OnModuleInit {
  readonly #chosen = new SessionMemory<Chosen>(kept);
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

  setLogLevel({ id, holder }: OwnedSession, logLevel: LogLevel): Promise<void> {
    return this.#change(id, { holder, logLevel });
  }

  /** Throws `rate_limited` for one subscription too many. */
  async subscribe({ id, holder }: OwnedSession, uri: string): Promise<void> {
    const { subscriptions } = this.#chosen.get(id) ?? nothing;
    if (!withAlso(subscriptions, [uri]).has(uri))
      throw new PlatformError('rate_limited', { message: 'The session has too many subscriptions.' });
    await this.#change(id, { holder, subscribed: [uri] });
  }

  unsubscribe({ id, holder }: OwnedSession, uri: string): Promise<void> {
    return this.#change(id, { holder, unsubscribed: [uri] });
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
  end({ id, holder }: OwnedSession): Promise<void> {
    return this.#change(id, { holder, hasEnded: true });
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
    const { holder, logLevel, subscriptions, hasEnded } = chosen;
    await this.#say(sessionId, {
      ...{ holder, logLevel },
      subscribed: [...subscriptions],
      hasEnded: hasEnded || undefined,
    });
  }

  #say(sessionId: string, { holder, logLevel, subscribed, unsubscribed, hasEnded }: Change): Promise<void> {
    return this.queue.publish(topics.mcpSessionChanged, {
      sessionId,
      ...(holder !== undefined && { holder }),
      ...(logLevel && { logLevel }),
      ...(subscribed && { subscribed: [...subscribed] }),
      ...(unsubscribed && { unsubscribed: [...unsubscribed] }),
      ...(hasEnded && { hasEnded }),
    });
  }

  #apply(sessionId: string, change: Change): void {
    const before = this.#chosen.get(sessionId) ?? nothing;
    const chosen = chosenAfter(before, change);
    const { holder = sessionId, subscriptions } = chosen;
    const bytes = bytesBesides.session + bytesOf(subscriptions);
    this.#chosen.set(sessionId, chosen, { holder, bytes });
    if (!change.subscribed && !change.unsubscribed) return;
    for (const listener of this.#listeners.get(sessionId) ?? []) listener(subscriptions);
  }
}

function chosenAfter(before: Chosen, { subscribed = [], unsubscribed = [], ...change }: Change): Chosen {
  const { holder = before.holder, logLevel = before.logLevel, hasEnded = before.hasEnded } = change;
  const gone = new Set(unsubscribed);
  const left = [...withAlso(before.subscriptions, subscribed)].filter((uri) => !gone.has(uri));
  return { holder, logLevel, hasEnded, subscriptions: new Set(hasEnded ? [] : left) };
}

/** As many more as a session may have. */
function withAlso(subscriptions: ReadonlySet<string>, more: readonly string[]): ReadonlySet<string> {
  const all = new Set(subscriptions);
  let bytes = bytesOf(all);
  for (const uri of more) {
    bytes += all.has(uri) ? 0 : bytesOfUri(uri);
    if (bytes > mostBytes || all.size >= mostWatched) break;
    all.add(uri);
  }
  return all;
}

function bytesOf(uris: Iterable<string>): number {
  let bytes = 0;
  for (const uri of uris) bytes += bytesOfUri(uri);
  return bytes;
}

function bytesOfUri(uri: string): number {
  return bytesBesides.uri + Buffer.byteLength(uri);
}

type Change = {
  readonly holder?: string | undefined;
  readonly logLevel?: LogLevel | undefined;
  readonly subscribed?: readonly string[] | undefined;
  readonly unsubscribed?: readonly string[] | undefined;
  readonly hasEnded?: true | undefined;
};
