import type { MessageOf, topics } from '@switchyard/contracts';

const TTL_MS = 45_000;
const MOST_OF_ONE = 1_000;

type Wants = { readonly byIntegration: ReadonlyMap<string, ReadonlySet<string>>; readonly until: number };

/**
 * The resources to whose updates clients anywhere in the fleet are subscribed: what each gateway replica last said of it. A
 * replica may speak as several, each with a part of what it wants.
 */
export class WantedResources {
  private readonly replicas = new Map<string, Wants>();
  /** By integration: it is asked of each, and most are wanted by none. */
  private readonly wanting = new Map<string, Set<string>>();

  constructor(private readonly now: () => number = Date.now) {}

  /** Keeps a replica's word for a while; it repeats it for as long as it lives. */
  heard({ replicaId, resources }: MessageOf<typeof topics.resourcesWanted>): void {
    for (const [id, { until }] of this.replicas) if (until <= this.now()) this.forget(id);
    this.forget(replicaId);
    if (resources.length === 0) return;
    const byIntegration = new Map<string, Set<string>>();
    for (const { integrationId, uri } of resources) {
      const uris = byIntegration.get(integrationId) ?? new Set();
      byIntegration.set(integrationId, uris.add(uri));
      const wanting = this.wanting.get(integrationId) ?? new Set();
      this.wanting.set(integrationId, wanting.add(replicaId));
    }
    this.replicas.set(replicaId, { byIntegration, until: this.now() + TTL_MS });
  }

  /** What is wanted of an integration now, sorted; of a flood only so many. */
  of(integrationId: string): readonly string[] {
    const uris = new Set<string>();
    for (const replicaId of this.wanting.get(integrationId) ?? []) {
      const wants = this.replicas.get(replicaId);
      if (!wants || wants.until <= this.now()) continue;
      for (const uri of wants.byIntegration.get(integrationId) ?? []) uris.add(uri);
    }
    return [...uris].sort().slice(0, MOST_OF_ONE);
  }

  private forget(replicaId: string): void {
    for (const integrationId of this.replicas.get(replicaId)?.byIntegration.keys() ?? []) {
      const wanting = this.wanting.get(integrationId);
      wanting?.delete(replicaId);
      if (wanting?.size === 0) this.wanting.delete(integrationId);
    }
    this.replicas.delete(replicaId);
  }
}
