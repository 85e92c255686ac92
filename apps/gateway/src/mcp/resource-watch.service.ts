import { randomUUID } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { findResource, type RequestFilter, SnapshotStore } from '@switchyard/access';
import { type CallerContext, topics } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import { Log, Shutdown } from '@switchyard/service-kit';

const repeatMs = 15_000;
/** As many as the topic takes. */
const maxWanted = 10_000;

/** Who listens: only what is theirs to read is told. */
export type ResourceListener = {
  readonly caller: CallerContext;
  readonly filter: RequestFilter | undefined;
  /** Hears the outward URI. */
  readonly updated: (uri: string) => void;
};

type Watched = {
  readonly integrationId: string;
  readonly uri: string;
  readonly listeners: Map<ResourceListener, string>;
};

/** The resources of whose updates open streams of this replica want to hear; catalog-sync holds the upstream's subscriptions. */
@Injectable()
export class ResourceWatch implements OnModuleInit {
  readonly #replicaId = randomUUID();
  readonly #watched = new Map<string, Watched>();
  #saidSomething = false;
  #isSaying = false;

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
    const timer = setInterval(() => this.#say(), repeatMs);
    this.shutdown.onStopTaking(() => clearInterval(timer));
  }

  /** Watches the resource until the returned function is called. A URI that the caller cannot read is watched by nobody. */
  watch(listener: ResourceListener, outwardUri: string): () => void {
    const found = findResource(this.snapshots.current(), listener.caller, outwardUri, listener.filter);
    if (!found || this.#watched.size >= maxWanted) return () => undefined;
    const { integration, uri } = found;
    const key = keyOf(integration.id, uri);
    const watched = this.#watched.get(key) ?? { integrationId: integration.id, uri, listeners: new Map() };
    this.#watched.set(key, watched);
    watched.listeners.set(listener, outwardUri);
    this.#saySoon();
    return () => {
      if (!watched.listeners.delete(listener) || watched.listeners.size > 0) return;
      if (this.#watched.get(key) === watched) this.#watched.delete(key);
      this.#saySoon();
    };
  }

  #updated(watched: Watched | undefined): void {
    if (!watched) return;
    const snapshot = this.snapshots.current();
    for (const [{ caller, filter, updated }, outwardUri] of watched.listeners) {
      const found = findResource(snapshot, caller, outwardUri, filter);
      if (found?.integration.id === watched.integrationId && found.uri === watched.uri) updated(outwardUri);
    }
  }

  /** Many changes of one moment are one message. */
  #saySoon(): void {
    if (this.#isSaying) return;
    this.#isSaying = true;
    setImmediate(() => {
      this.#isSaying = false;
      this.#say(true);
    });
  }

  #say(isNews = false): void {
    const resources = [...this.#watched.values()].map(({ integrationId, uri }) => ({ integrationId, uri }));
    if (resources.length === 0 && !(isNews && this.#saidSomething)) return;
    this.#saidSomething = resources.length > 0;
    this.queue
      .publish(topics.resourcesWanted, { replicaId: this.#replicaId, resources })
      .catch((err: unknown) => this.log.warn({ err }, 'nobody was told which resources are watched'));
  }
}

function keyOf(integrationId: string, uri: string): string {
  return `${integrationId} ${uri}`;
}
