import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { topics } from '@switchyard/contracts';
import { WantedResources } from '@switchyard/mcp-client';
import type { QueueClient } from '@switchyard/queue';
import type { WatchSettings } from '../config.js';
import type { IntegrationsRepository, SyncedIntegration } from '../integrations/integrations.repository.js';
import type { CatalogNewsService } from '../states/catalog-news.service.js';
import { IntegrationWatch, type WatchParts } from './integration-watch.js';
import type { ReconcileRepository } from './reconcile.repository.js';
import type { DueSync, SyncRequestsService } from './sync-requests.service.js';
import type { WatchedRow, WatchesRepository } from './watches.repository.js';

export type WatcherParts = Omit<WatchParts, 'syncRequests' | 'resourceUpdated'> & {
  readonly syncRequests: SyncRequestsService;
  readonly queue: QueueClient;
  readonly integrations: IntegrationsRepository;
  readonly reconciler: ReconcileRepository;
  readonly watches: WatchesRepository;
  readonly news: CatalogNewsService;
  readonly times: WatchSettings;
};

const leaveWithinMs = 5_000;

/**
 * Each tick: bring the rows in line with the registry → hold this replica's share → watch what is held → enqueue what
 * is due. All of it follows from the tables, so that a tick that was missed is made up for by the next.
 */
export class WatcherService {
  readonly #ownerId = randomUUID();
  readonly #watches = new Map<string, IntegrationWatch>();
  readonly #wanted = new WantedResources();
  readonly #watchParts: WatchParts;
  #unsubscribe: (() => Promise<void>)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #ticking: Promise<void> | undefined;
  #wantsAnother = false;
  #isStopped = false;
  #registryVersion = -1;
  #listed: ReadonlyMap<string, SyncedIntegration> = new Map();
  #listedAt = -1;
  #heldAt = 0;

  constructor(private readonly parts: WatcherParts) {
    this.#watchParts = { ...parts, resourceUpdated: (id, uri) => void this.#tellUpdated(id, uri) };
  }

  /** What this replica watches now. */
  get watched(): readonly IntegrationWatch[] {
    return [...this.#watches.values()];
  }

  /** For readiness: rejects when the last ticks failed. */
  async check(): Promise<void> {
    const silentMs = Date.now() - this.#heldAt;
    if (silentMs > this.parts.times.leaseMs)
      throw new Error(`the last tick that succeeded was ${silentMs} ms ago`);
  }

  async onApplicationBootstrap(): Promise<void> {
    const { queue } = this.parts;
    this.#unsubscribe = await Promise.all([
      queue.subscribe(topics.registryChanged, ({ entity }) =>
        entity === 'virtual_key' ? undefined : this.#tickNow(),
      ),
      queue.subscribe(topics.catalogChanged, ({ integrationId }) =>
        this.#watches.has(integrationId) ? this.#tickNow() : undefined,
      ),
      queue.subscribe(topics.upstreamAnswered, ({ integrationId, at }) =>
        this.#watches.get(integrationId)?.heard(at),
      ),
      queue.subscribe(topics.resourcesWanted, (message) => {
        this.#wanted.heard(message);
        this.#want();
      }),
    ]);
    queue.onReconnect(() => this.#tickNow());
    this.#tickNow();
  }

  /** Hands all integrations to the other replicas; without a database their leases run out. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await Promise.race([this.#leave(), delay(leaveWithinMs, undefined, { ref: false })]);
  }

  async #leave(): Promise<void> {
    await Promise.allSettled(this.#unsubscribe.map((unsubscribe) => unsubscribe()));
    await this.#ticking;
    await this.#stopWatching([...this.#watches.keys()]);
    await this.parts.watches.leave(this.#ownerId);
  }

  #tickNow(): void {
    if (this.#isStopped) return;
    if (this.#ticking) {
      this.#wantsAnother = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#wantsAnother = false;
    this.#ticking = this.#tick().finally(() => {
      this.#ticking = undefined;
      if (this.#wantsAnother) this.#tickNow();
      else if (!this.#isStopped) this.#timer = setTimeout(() => this.#tickNow(), this.parts.times.tickMs);
    });
  }

  async #tick(): Promise<void> {
    try {
      await this.#reconcile();
      const startedAt = Date.now();
      const rows = await this.parts.watches.hold({ id: this.#ownerId, leaseMs: this.parts.times.leaseMs });
      this.#heldAt = startedAt;
      await this.#watch(rows);
    } catch (err) {
      this.parts.log.warn({ err }, 'a tick of the watcher failed');
      // Whoever cannot renew its leases must assume that somebody else has them.
      if (Date.now() - this.#heldAt > this.parts.times.leaseMs)
        await this.#stopWatching([...this.#watches.keys()]);
    }
  }

  async #reconcile(): Promise<void> {
    const version = await this.parts.integrations.registryVersion();
    if (version === this.#registryVersion) return;
    const changed = await this.parts.reconciler.reconcile();
    this.#registryVersion = version;
    for (const news of changed) await this.parts.news.publish({ ...news, toolsChanged: false });
  }

  async #watch(rows: readonly WatchedRow[]): Promise<void> {
    const held = new Map(rows.map((row) => [row.integrationId, row]));
    await this.#stopWatching([...this.#watches.keys()].filter((id) => !held.has(id)));
    for (const integration of await this.#integrationsOf([...held.keys()])) {
      const row = held.get(integration.id);
      if (!row || !integration.enabled) continue;
      const watch = this.#watches.get(integration.id);
      if (watch) watch.update(integration, row);
      else this.#watches.set(integration.id, new IntegrationWatch(this.#watchParts, integration, row));
      if (row.isDue && row.nextSyncAt)
        await this.#askForSync(integration, { ...row, nextSyncAt: row.nextSyncAt });
    }
    this.#want();
  }

  /** With every tick too: what nobody wants any more is forgotten by time. */
  #want(): void {
    for (const [id, watch] of this.#watches)
      // What discovery sees change there is nothing to tell users, who may see something else.
      watch.want(watch.integration.isPerUser ? [] : this.#wanted.of(id));
  }

  async #tellUpdated(integrationId: string, uri: string): Promise<void> {
    await this.parts.queue
      .publish(topics.resourceUpdated, { integrationId, uri })
      .catch((err: unknown) => this.parts.log.warn({ err }, 'an update of a resource was not published'));
  }

  /** Read again only when the registry has changed, or when this replica took others: a tick costs next to nothing. */
  async #integrationsOf(ids: readonly string[]): Promise<readonly SyncedIntegration[]> {
    const isKnown = this.#listedAt === this.#registryVersion && ids.every((id) => this.#listed.has(id));
    if (!isKnown) {
      const listed = await this.parts.integrations.list(ids);
      this.#listed = new Map(listed.map((integration) => [integration.id, integration]));
      this.#listedAt = this.#registryVersion;
    }
    return [...this.#listed.values()];
  }

  /** Without the queue the others are still watched; the sync stays due. */
  async #askForSync(integration: SyncedIntegration, due: DueSync): Promise<void> {
    await this.parts.syncRequests
      .due(integration, due)
      .catch((err: unknown) =>
        this.parts.log.warn({ err, slug: integration.slug }, 'a due sync was not enqueued'),
      );
  }

  async #stopWatching(ids: readonly string[]): Promise<void> {
    const stopped = ids.map((id) => this.#watches.get(id));
    for (const id of ids) this.#watches.delete(id);
    await Promise.all(stopped.map((watch) => watch?.stop()));
  }
}
