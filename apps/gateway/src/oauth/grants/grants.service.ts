import { Injectable, type OnModuleInit } from '@nestjs/common';
import { SnapshotStore } from '@switchyard/access';
import { topics } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import { Log, LruMap, Shutdown } from '@switchyard/service-kit';
import { OAuthAudit } from '../oauth-audit.js';
import { PayloadsRepository } from '../store/payloads.repository.js';
import { type GrantOwner, GrantsRepository, type LiveGrant, type NewGrant } from './grants.repository.js';

/** What the registry says of a grant's user is asked again after this time, for that the bus may lose its news. */
const keptMs = 1_500;
const mostKept = 10_000;
const lookMs = 1_000;

type Trusted = Pick<LiveGrant, 'orgId' | 'userId' | 'identityProviderId' | 'issuer'>;
type Known = { readonly grant: LiveGrant; readonly askedAt: number };

/** Why a grant ended: `user` and `admin` by the API, `client` by the revocation endpoint, `reuse` of a code or token. */
export type RevocationReason = 'user' | 'admin' | 'client' | 'reuse';

/** What users allowed MCP clients, and whether it still holds: told by the bus, and looked for each second. */
@Injectable()
export class GrantsService implements OnModuleInit {
  readonly #known = new LruMap<string, Known>(mostKept);
  readonly #revoked = new LruMap<string, true>(mostKept);
  /** When users were changed last. */
  readonly #changed = new LruMap<string, number>(mostKept);

  constructor(
    private readonly rows: GrantsRepository,
    private readonly payloads: PayloadsRepository,
    private readonly snapshots: SnapshotStore,
    private readonly queue: QueueClient,
    private readonly audit: OAuthAudit,
    private readonly log: Log,
    private readonly shutdown: Shutdown,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.queue.subscribe(topics.grantRevoked, ({ grantId }) => this.#forget(grantId));
    await this.queue.subscribe(topics.registryChanged, ({ entity, id }) => {
      if (entity === 'user') this.#changed.set(id, Date.now());
    });
    const timer = setInterval(() => void this.#look(), lookMs);
    this.shutdown.onStopTaking(() => clearInterval(timer));
  }

  /** Null: it was revoked, is over, or whom it needs is no longer trusted. */
  async find(id: string): Promise<LiveGrant | null> {
    if (this.#revoked.get(id)) return null;
    const known = this.#known.get(id);
    const grant = known && this.#isFresh(known) ? known.grant : await this.#load(id);
    return grant && this.#isTrusted(grant) ? grant : null;
  }

  /** Whether a grant that was found before still holds, as far as this process knows. */
  isLive(grant: Trusted & Pick<LiveGrant, 'id' | 'expiresAt'>): boolean {
    return !this.#revoked.get(grant.id) && grant.expiresAt.getTime() > Date.now() && this.#isTrusted(grant);
  }

  /** False: the consent was given already. */
  async add(grant: NewGrant): Promise<boolean> {
    return this.rows.insert(grant);
  }

  /** Ends a grant with all that was issued under it. False: the owner has no such grant. */
  async revoke(id: string, reason: RevocationReason, owner: GrantOwner | null): Promise<boolean> {
    const grant = await this.rows.revoke(id, reason, owner);
    if (!grant) return false;
    this.#forget(id);
    await this.payloads.destroyOfGrant(id);
    await this.payloads.destroy('Grant', id);
    const { orgId, userId, clientId } = grant;
    await this.queue
      .publish(topics.grantRevoked, { orgId, grantId: id })
      .catch((err: unknown) => this.log.warn({ err }, 'a revocation was not announced; replicas find it'));
    this.audit.note({
      ...{ orgId, userId, code: null, details: { client_id: clientId, grant_id: id, reason } },
      ...(reason === 'reuse'
        ? { action: 'refresh_reused', result: 'refused' }
        : { action: 'grant_revoked', result: 'ok' }),
      ...{ actor: { kind: reason === 'admin' ? 'admin' : 'user', id: reason === 'user' ? userId : null } },
    });
    return true;
  }

  #isFresh({ grant, askedAt }: Known): boolean {
    return askedAt > Math.max(Date.now() - keptMs, this.#changed.get(grant.userId) ?? 0);
  }

  async #load(id: string): Promise<LiveGrant | null> {
    const askedAt = Date.now();
    const grant = await this.rows.findLive(id);
    // It may have been revoked while it was read.
    if (!grant || this.#revoked.get(id)) return null;
    this.#known.set(id, { grant, askedAt });
    return grant;
  }

  #isTrusted({ orgId, userId, identityProviderId, issuer }: Trusted): boolean {
    const { inactiveUsers, identityProviders } = this.snapshots.current();
    if (inactiveUsers.has(userId)) return false;
    const provider = identityProviders.find((one) => one.id === identityProviderId && one.orgId === orgId);
    // Whom another issuer calls by the same subject is somebody else.
    return provider?.enabled === true && (issuer === null || provider.issuer === issuer);
  }

  #forget(id: string): void {
    this.#revoked.set(id, true);
  }

  async #look(): Promise<void> {
    try {
      for (const id of await this.rows.revokedLately()) this.#forget(id);
    } catch (err) {
      this.log.warn({ err }, 'revoked grants could not be looked for');
    }
  }
}
