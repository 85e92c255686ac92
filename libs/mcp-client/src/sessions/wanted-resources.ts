import type { MessageOf, topics } from '@switchyard/contracts';

const TTL_MS = 45_000;
const MOST_OF_ONE = 1_000;

type Wants = { readonly byIntegration: ReadonlyMap<string, ReadonlySet<string>>; readonly until: number };

/** The resources to whose updates clients anywhere in the fleet are subscribed: what each gateway replica last said of it. */
export class WantedResources {
  private readonly replicas = new Map<string, Wants>();

  constructor(private readonly now: () => number = Date.now) {}

  /** Keeps a replica's word for a while; it repeats it for as long as it lives. */
  heard({ replicaId, resources }: MessageOf<typeof topics.resourcesWanted>): void {
    const byIntegration = new Map<string, Set<string>>();
    for (const { integrationId, uri } of resources) {
      const uris = byIntegration.get(integrationId) ?? new Set();
      byIntegration.set(integrationId, uris.add(uri));
    }
    this.replicas.set(replicaId, { byIntegration, until: this.now() + TTL_MS });
  }

  /** What is wanted of an integration now, sorted; of a flood only so many. */
  of(integrationId: string): readonly string[] {
    const uris = new Set<string>();
    for (const [replicaId, { byIntegration, until }] of this.replicas) {
      if (until <= this.now()) this.replicas.delete(replicaId);
      else for (const uri of byIntegration.get(integrationId) ?? []) uris.add(uri);
    }
    return [...uris].sort().slice(0, MOST_OF_ONE);
  }
}
