import { createHash } from 'node:crypto';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { policyClaimPaths, projectClaims, type Snapshot, SnapshotStore } from '@switchyard/access';
import { type CallerContext, PlatformError, queues, topics } from '@switchyard/contracts';
import { organizationMeant, TokenVerifier, UserDirectory, type VerifiedPerson } from '@switchyard/identity';
import { createEgressPolicy } from '@switchyard/mcp-client';
import { QueueClient } from '@switchyard/queue';
import { LruMap, Shutdown } from '@switchyard/service-kit';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config.js';
import { type Principal, signedInPrincipal } from './principal.js';

const askTimeoutMs = 5_000;
/** Tokens that were verified lately: a chat backend sends one with each of many requests. */
const keptVerified = 5_000;
const keysLimits = { maxBodyBytes: 262_144, headersTimeoutMs: 5_000, bodyIdleTimeoutMs: 5_000 };

/** Finds out which user calls by a JWT of their organization's identity provider. */
@Injectable()
export class UserTokens implements OnModuleInit {
  readonly #verifier: TokenVerifier;
  readonly #directory: UserDirectory;
  readonly #verified = new LruMap<string, VerifiedPerson>(keptVerified);

  constructor(
    private readonly snapshots: SnapshotStore,
    private readonly queue: QueueClient,
    shutdown: Shutdown,
    @Inject(GATEWAY_CONFIG) config: Pick<GatewayConfig, 'egress'>,
  ) {
    const egress = createEgressPolicy(config.egress);
    shutdown.onClose(() => egress.close());
    this.#verifier = new TokenVerifier({
      issuers: () => snapshots.current().identityProviders,
      fetch: ((url: string | URL, init?: RequestInit) =>
        egress.fetchLimited(url, init as never, keysLimits)) as typeof fetch,
    });
    this.#directory = new UserDirectory({
      ask: (record) => queue.request(queues.userRecords, record, { timeoutMs: askTimeoutMs }),
    });
  }

  async onModuleInit(): Promise<void> {
    await this.queue.subscribe(topics.registryChanged, ({ entity, id }) => {
      if (entity === 'user') this.#directory.forget(id);
    });
    // What was verified by the keys and the audience of another day is judged anew.
    this.snapshots.onChange((change) => change.registry && this.#verified.clear());
  }

  /** Throws `unauthenticated`, `token_expired`, `user_inactive`, or `dependency_unavailable`. */
  async authenticate(jwt: string, runKind: CallerContext['runKind']): Promise<Principal> {
    const digest = createHash('sha256').update(jwt).digest('base64url');
    const person = await this.#verify(jwt, digest);
    const { userId } = await this.#directory.userOf(person);
    if (this.snapshots.current().inactiveUsers.has(userId)) throw new PlatformError('user_inactive');
    const caller: CallerContext = {
      ...{ kind: 'user', orgId: person.orgId, userId, virtualKeyId: null, runKind },
      ...{ roles: person.roles, hasSubjectToken: true },
    };
    const { issuer, providerId, expiresAt } = person;
    return signedInPrincipal(
      this.#describer(caller, person.claims),
      { jwt, issuer, providerId, expiresAt },
      digest.slice(0, 16),
    );
  }

  /** Whose token a refused one was meant to be, for the audit log alone. */
  organizationMeant(jwt: string): string | null {
    return organizationMeant(jwt, this.snapshots.current().identityProviders);
  }

  /** Whether a user that was authenticated before may go on. */
  isStillValid({ caller, userToken }: Principal): boolean {
    if (userToken === undefined || userToken.expiresAt <= Date.now()) return false;
    const { inactiveUsers, identityProviders } = this.snapshots.current();
    if (caller.userId !== null && inactiveUsers.has(caller.userId)) return false;
    const { issuer, providerId } = userToken;
    return identityProviders.some((one) => one.enabled && one.id === providerId && one.issuer === issuer);
  }

  /** Gives the caller with those claims that the policies of now ask for. */
  #describer(caller: CallerContext, claims: VerifiedPerson['claims']): () => CallerContext {
    let seen: Snapshot | undefined;
    let described = caller;
    return () => {
      const snapshot = this.snapshots.current();
      if (snapshot === seen) return described;
      seen = snapshot;
      const paths = policyClaimPaths(snapshot, caller.orgId);
      described = paths.length > 0 ? { ...caller, claims: projectClaims(claims, paths) } : caller;
      return described;
    };
  }

  async #verify(jwt: string, digest: string): Promise<VerifiedPerson> {
    const known = this.#verified.get(digest);
    if (known && known.expiresAt > Date.now()) return known;
    const person = await this.#verifier.verify(jwt);
    this.#verified.set(digest, person);
    return person;
  }
}
