import { randomInt, randomUUID } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { findResource, type RequestFilter, SnapshotStore } from '@switchyard/access';
import { type CallerContext, PlatformError, topics } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import { Log, Shutdown } from '@switchyard/service-kit';
import { holderOf } from '../auth/principal.js';

const repeatMs = 15_000;
/** Many changes of one moment are one message. */
const quietMs = 100;
/** The list is told in parts: a change repeats its own part and not all that this replica watches. */
const partCount = 32;
const retryAfterMs = 30_000;
const mostInAll = 20_000;
const mostOfOrganization = 1_000;

/** How many resources one key or user may watch at a replica, with all its streams. */
export const mostWatched = 500;
export const longestWatchedUri = 2_048;

/** Who listens: only what is theirs to read is told. */
export type ResourceListener = {
  readonly caller: CallerContext;
  readonly filter: RequestFilter | undefined;
  /** Hears the outward URI. */
  readonly updated: (uri: string) => void;
};

type Viewer = { readonly caller: CallerContext; readonly filter?: RequestFilter };
type Watched = {
  readonly integrationId: string;
  readonly uri: string;
  readonly part: Part;
  readonly listeners: Map<ResourceListener, string>;
};
type Part = { readonly id: string; readonly watched: Set<Watched>; isNews: boolean };

/** The resources of whose updates open streams of this replica want to hear; catalog-sync holds the upstream's subscriptions. */
@Injectable()
export class ResourceWatch implements OnModuleInit {
  readonly #watched = new Map<string, Watched>();
  readonly #parts = Array.from({ length: partCount }, newPart);
  /** Resources by organization, and what is listened to by key or user: nobody takes another's room. */
  readonly #counts = new Map<string, number>();
  #soon: NodeJS.Timeout | undefined;

  constructor(
    private readonly snapshots: SnapshotStore,
    private readonly queue: QueueClient,
    private readonly log: Log,
    private readonly shutdown: Shutdown,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.queue.subscribe(topics.resourceUpdated, ({ integrationId, uri }) =>
      this.#updated(this.#watched.get(keyOf(integrationId, uri))),
    );
    const timer = setInterval(
      () => this.#say(this.#parts.filter(({ watched }) => watched.size > 0)),
      repeatMs,
    );
    this.shutdown.onStopTaking(() => {
      clearInterval(timer);
      clearTimeout(this.#soon);
    });
  }

  /** Watches all of them until the returned function is called, or none: throws as `watch` does. */
  watchAll(listener: ResourceListener, outwardUris: readonly string[]): () => void {
    if (outwardUris.length > mostWatched) throw tooMany('One client');
    const stops: (() => void)[] = [];
    const stop = () => stops.forEach((one) => one());
    try {
      for (const uri of outwardUris) stops.push(this.watch(listener, uri));
    } catch (err) {
      stop();
      throw err;
    }
    return stop;
  }

  /**
   * Watches the resource until the returned function is called. A URI that the caller cannot read is watched by nobody.
   * Throws `rate_limited` where the caller or its organization watches too many, `invalid_request` where the URI is too long.
   */
  watch(listener: ResourceListener, outwardUri: string): () => void {
    const found = this.#findWithRoom(listener, outwardUri);
    if (!found) return () => undefined;
    const { integrationId, uri, key } = found;
    const watched = this.#watched.get(key) ?? this.#add(key, { integrationId, uri }, listener.caller);
    if (watched.listeners.has(listener)) return () => undefined;
    watched.listeners.set(listener, outwardUri);
    const holder = holderOf(listener.caller);
    this.#count(holder, 1);
    return () => {
      if (!watched.listeners.delete(listener)) return;
      this.#count(holder, -1);
      if (watched.listeners.size === 0) this.#remove(key, watched, listener.caller);
    };
  }

  /** Throws as `watch` would now: for who will watch in a moment, and is told before. */
  assertRoom(viewer: Viewer, outwardUri: string): void {
    this.#findWithRoom(viewer, outwardUri);
  }

  #findWithRoom({ caller, filter }: Viewer, outwardUri: string) {
    if (outwardUri.length > longestWatchedUri) {
      const message = `Resources with URIs of more than ${longestWatchedUri} characters cannot be watched.`;
      throw new PlatformError('invalid_request', { message });
    }
    const found = findResource(this.snapshots.current(), caller, outwardUri, filter);
    if (!found) return undefined;
    const { integration, uri } = found;
    const key = keyOf(integration.id, uri);
    if (this.#countOf(holderOf(caller)) >= mostWatched) throw tooMany('One key or user');
    if (!this.#watched.has(key)) {
      if (this.#countOf(organizationOf(caller)) >= mostOfOrganization) throw tooMany('The organization');
      if (this.#watched.size >= mostInAll) throw tooMany('This replica');
    }
    return { integrationId: integration.id, uri, key };
  }

  #add(key: string, what: Pick<Watched, 'integrationId' | 'uri'>, caller: CallerContext): Watched {
    // By chance: nobody can make one part long.
    const part = this.#parts[randomInt(partCount)] ?? newPart();
    const watched = { ...what, part, listeners: new Map<ResourceListener, string>() };
    this.#watched.set(key, watched);
    part.watched.add(watched);
    this.#count(organizationOf(caller), 1);
    this.#saySoon(part);
    return watched;
  }

  #remove(key: string, watched: Watched, caller: CallerContext): void {
    this.#watched.delete(key);
    watched.part.watched.delete(watched);
    this.#count(organizationOf(caller), -1);
    this.#saySoon(watched.part);
  }

  #countOf(whose: string): number {
    return this.#counts.get(whose) ?? 0;
  }

  #count(whose: string, change: 1 | -1): void {
    const left = this.#countOf(whose) + change;
    if (left === 0) this.#counts.delete(whose);
    else this.#counts.set(whose, left);
  }

  #updated(watched: Watched | undefined): void {
    if (!watched) return;
    const snapshot = this.snapshots.current();
    for (const [{ caller, filter, updated }, outwardUri] of watched.listeners) {
      const found = findResource(snapshot, caller, outwardUri, filter);
      if (found?.integration.id === watched.integrationId && found.uri === watched.uri) updated(outwardUri);
    }
  }

  #saySoon(part: Part): void {
    part.isNews = true;
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.#say(this.#parts.filter(({ isNews }) => isNews));
    }, quietMs);
  }

  /** To who listens, each part is a replica of its own. */
  #say(parts: readonly Part[]): void {
    for (const part of parts) {
      part.isNews = false;
      const resources = [...part.watched].map(({ integrationId, uri }) => ({ integrationId, uri }));
      this.queue
        .publish(topics.resourcesWanted, { replicaId: part.id, resources })
        .catch((err: unknown) => this.log.warn({ err }, 'nobody was told which resources are watched'));
    }
  }
}

function newPart(): Part {
  return { id: randomUUID(), watched: new Set(), isNews: false };
}

function tooMany(who: string): PlatformError {
  return new PlatformError('rate_limited', { message: `${who} watches too many resources.`, retryAfterMs });
}

function keyOf(integrationId: string, uri: string): string {
  return `${integrationId} ${uri}`;
}

function organizationOf({ orgId }: CallerContext): string {
  return `organization:${orgId}`;
}
