import type { SyncedIntegration } from '../integrations/integrations.repository.js';
import type { DiscoveryLease, DiscoveryLeaseService } from './discovery-lease.service.js';

/** A lease is not used in its last moments, so that it does not expire on its way. */
const safetyMs = 5_000;

/**
 * The credential of one link, which may live for days: leased anew before it expires, and once when the upstream refuses
 * it. A token that runs out is no reason to call somebody.
 */
export class DiscoveryCredential {
  #lease: DiscoveryLease | undefined;
  readonly #secrets = new Set<string>();

  constructor(
    private readonly leases: DiscoveryLeaseService,
    private readonly integration: SyncedIntegration,
  ) {}

  /** Every value that was ever used, so that no failure repeats one. */
  get secrets(): readonly string[] {
    return [...this.#secrets];
  }

  /** Throws an `AttemptError` of stage `lease`. */
  async headers(): Promise<Record<string, string>> {
    if (this.#lease && this.#lease.expiresAt - safetyMs > Date.now()) return this.#lease.headers;
    return this.#keep(await this.leases.lease(this.integration));
  }

  /** After a 401: the headers of another token, or undefined where there is none. Throws as `headers` does. */
  async renewed(): Promise<Record<string, string> | undefined> {
    const credential = this.#lease?.credential ?? null;
    if (credential === null) return undefined;
    const lease = await this.leases.lease(this.integration, { credential, again: false });
    return lease.credential === credential ? undefined : this.#keep(lease);
  }

  #keep(lease: DiscoveryLease): Record<string, string> {
    this.#lease = lease;
    for (const value of Object.values(lease.headers)) this.#secrets.add(value);
    return lease.headers;
  }
}
