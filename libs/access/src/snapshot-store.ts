import { compareSnapshots, isChange, keepEqual, keepUnchanged, rowsOf } from './snapshot-change.js';
import type { SnapshotChange } from './snapshot-change.js';
import { readFeatures, readServiceCredentials, readStates, readTools } from './catalog-rows.js';
import { readRegistry } from './registry-rows.js';
import { readVersions } from './row-reading.js';
import type { QueryFunction } from './row-reading.js';
import type { FeatureRecord } from './feature-records.js';
import type { ToolRecord } from './records.js';
import { buildSnapshot } from './snapshot.js';
import type { Snapshot, SnapshotRows } from './snapshot.js';

export type SnapshotStoreOptions = {
  query: QueryFunction;
  /** How often the version rows are looked at. One second by default. */
  pollMs?: number;
  /** A look that failed, or a listener that threw. The snapshot stays as it was and the next look tries again. */
  onError?: (error: unknown) => void;
};

export type SnapshotListener = (change: SnapshotChange, snapshot: Snapshot) => void;

const nothing: SnapshotRows = {
  organizations: [],
  integrations: [],
  virtualKeys: [],
  identityProviders: [],
  policies: [],
  toolGroups: [],
  toolsets: [],
  agents: [],
  inactiveUsers: new Set(),
  serviceCredentials: new Map(),
  states: new Map(),
  tools: new Map(),
  features: new Map(),
};
const unknownVersions = { registry: '', catalog: '', broker: '' };

/**
 * Keeps a snapshot of registry, catalog and service credentials up to date: loads all at `start`, looks at the version rows every second,
 * and at once when `refresh` is called for a change event. Versions are read before what they count, so a change in
 * between is read twice rather than never. Looks never overlap.
 */
export class SnapshotStore {
  private snapshot = buildSnapshot(nothing, 0);
  private versions = unknownVersions;
  private readonly listeners = new Set<SnapshotListener>();
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private waiting: Promise<void> | undefined;
  private checkedAt = Number.NEGATIVE_INFINITY;
  private isClosed = false;

  constructor(private readonly options: SnapshotStoreOptions) {}

  /** Loads everything and begins to poll. Rejects, without polling, if the first load fails. */
  async start(): Promise<void> {
    await this.nextLook();
    this.schedule();
  }

  /** The newest snapshot. Empty before `start`. */
  current(): Snapshot {
    return this.snapshot;
  }

  /** Milliseconds since the store last knew itself to be up to date, for readiness. Infinite before `start`. */
  ageMs(): number {
    return Date.now() - this.checkedAt;
  }

  /**
   * Looks now, and resolves when a look that began after this call has ended, failed ones included. The hint says what
   * an event was about; only `all` matters: it reads everything again whatever the versions say.
   */
  refresh(hint: 'registry' | 'all' | (string & {}) = 'registry'): Promise<void> {
    if (hint === 'all') this.versions = { ...unknownVersions };
    this.waiting ??= this.nextLook().catch((error: unknown) => this.options.onError?.(error));
    return this.waiting;
  }

  /** Calls `fn` after each change with what changed. Returns how to stop that. */
  onChange(fn: SnapshotListener): () => void {
    this.listeners.add(fn);
    return () => this.listeners.delete(fn);
  }

  /** Stops polling and waits for a look that runs. The last snapshot stays readable. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    await Promise.allSettled([this.running, this.waiting]);
  }

  private async nextLook(): Promise<void> {
    await this.running?.catch(() => undefined);
    this.waiting = undefined;
    this.running = this.look().finally(() => (this.running = undefined));
    return this.running;
  }

  private schedule(): void {
    if (this.isClosed) return;
    this.timer = setTimeout(
      () => void this.refresh().finally(() => this.schedule()),
      this.options.pollMs ?? 1_000,
    );
  }

  private async look(): Promise<void> {
    const { query } = this.options;
    const before = this.versions;
    const versions = await readVersions(query);
    const registry = versions.registry === before.registry ? {} : await this.readRegistry();
    const catalog =
      versions.catalog === before.catalog
        ? {}
        : await this.readCatalog(before.catalog === unknownVersions.catalog);
    const isSame = versions.broker === before.broker && versions.registry === before.registry;
    const credentials = isSame ? {} : await this.readCredentials();
    // An `all` that came meanwhile stands: the next look begins anew.
    if (this.versions === before) this.versions = versions;
    this.checkedAt = Date.now();
    this.replace({ ...rowsOf(this.snapshot), ...registry, ...catalog, ...credentials });
  }

  private async readRegistry(): Promise<
    Omit<SnapshotRows, 'states' | 'tools' | 'features' | 'serviceCredentials'>
  > {
    const fresh = await readRegistry(this.options.query);
    const { organizations, integrations, virtualKeys, toolGroups, toolsets, agents, ...sets } = fresh;
    return {
      toolGroups: keepUnchanged(this.snapshot.toolGroups, toolGroups, ({ id }) => id),
      toolsets: keepUnchanged(this.snapshot.toolsets, toolsets, ({ id }) => id),
      agents: keepUnchanged(this.snapshot.agents, agents, ({ id }) => id),
      identityProviders: keepEqual(this.snapshot.identityProviders, sets.identityProviders),
      policies: keepEqual(this.snapshot.policies, sets.policies),
      inactiveUsers: keepEqual(this.snapshot.inactiveUsers, sets.inactiveUsers),
      organizations: keepUnchanged(this.snapshot.organizations, organizations, ({ id }) => id),
      integrations: keepUnchanged(this.snapshot.integrations, integrations, ({ id }) => id),
      virtualKeys: keepUnchanged(this.snapshot.virtualKeysById, virtualKeys, ({ id }) => id),
    };
  }

  private async readCredentials(): Promise<Pick<SnapshotRows, 'serviceCredentials'>> {
    const fresh = await readServiceCredentials(this.options.query);
    return { serviceCredentials: keepEqual(this.snapshot.serviceCredentials, fresh) };
  }

  /** Tools, prompts and resources are read where the version of their integration's state moved. */
  private async readCatalog(isAll: boolean): Promise<Pick<SnapshotRows, 'states' | 'tools' | 'features'>> {
    const fresh = await readStates(this.options.query);
    const states = keepUnchanged(this.snapshot.states, fresh, ({ integrationId }) => integrationId);
    const tools = new Map<string, readonly ToolRecord[]>();
    const features = new Map<string, readonly FeatureRecord[]>();
    for (const state of states) {
      const { integrationId: id, version } = state;
      const [known, knownFeatures] = [this.snapshot.tools.get(id), this.snapshot.features.get(id) ?? []];
      const isCurrent = !isAll && known && this.snapshot.states.get(id)?.version === version;
      tools.set(id, isCurrent ? known : await readTools(this.options.query, id, known ?? []));
      const list = isCurrent ? knownFeatures : await readFeatures(this.options.query, state, knownFeatures);
      if (list.length > 0) features.set(id, list);
    }
    return { states: new Map(states.map((state) => [state.integrationId, state])), tools, features };
  }

  private replace(rows: SnapshotRows): void {
    const next = buildSnapshot(rows, this.snapshot.version + 1);
    const change = compareSnapshots(this.snapshot, next);
    if (!isChange(change)) return;
    this.snapshot = next;
    for (const listener of this.listeners) this.tell(listener, change);
  }

  private tell(listener: SnapshotListener, change: SnapshotChange): void {
    try {
      listener(change, this.snapshot);
    } catch (error) {
      this.options.onError?.(error);
    }
  }
}
