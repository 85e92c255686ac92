import { createHash, timingSafeEqual } from 'node:crypto';
import { DEFAULT_ORGANIZATION_ID, PlatformError } from '@switchyard/contracts';
import { looksLikeJwt } from './read-token.js';
import { TokenVerifier } from './token-verifier.js';
import type { TrustedIssuer, VerifiedPerson } from './trusted-issuer.js';
import { UserDirectory, type UserDirectoryOptions } from './user-directory.js';

/** A user with a token of their own. */
export type ApiUser = {
  readonly kind: 'user';
  readonly orgId: string;
  readonly userId: string;
  readonly person: VerifiedPerson;
  readonly jwt: string;
  /** By the roles that the identity provider's settings name. */
  readonly isAdmin: boolean;
  readonly isAuditor: boolean;
};
/** An admin key: a program of the organization's admins, and nobody in person. */
export type ApiAdmin = { readonly kind: 'admin'; readonly orgId: string; readonly isOperator: boolean };
export type ApiCaller = ApiUser | ApiAdmin;

export type ApiCallersOptions = {
  /** Of a role that may read `registry.v_identity_providers` and `registry.v_admin_keys`. */
  readonly query: (text: string, params?: unknown[]) => Promise<unknown[]>;
  /** Through the egress policy: keys of identity providers are read by it. */
  readonly fetch: typeof fetch;
  readonly ask: UserDirectoryOptions['ask'];
  /** Hex; null: this service does not know the operator. */
  readonly operatorKeySha256: string | null;
};

type Provider = TrustedIssuer & {
  readonly adminRoles: readonly string[];
  readonly auditorRoles: readonly string[];
};

/** Identity providers that were switched off a moment ago may be trusted so much longer. */
const keptMs = 2_000;

/**
 * Who calls a REST API of the platform: `Authorization: Bearer` with a user's JWT or with an admin key. One that is refused never
 * falls through to the other. Users who were deactivated are refused as soon as `forget` was told of them.
 */
export class ApiCallers {
  readonly #verifier: TokenVerifier;
  readonly #directory: UserDirectory;
  #providers: readonly Provider[] = [];
  #loadedAt = 0;

  constructor(private readonly options: ApiCallersOptions) {
    this.#verifier = new TokenVerifier({ issuers: () => this.#providers, fetch: options.fetch });
    this.#directory = new UserDirectory({ ask: options.ask });
  }

  /** Throws `unauthenticated`, `token_expired`, `user_inactive`, or `dependency_unavailable`. */
  async authenticate(authorization: string | undefined): Promise<ApiCaller> {
    const credential = /^Bearer ([!-~]+)$/i.exec(authorization ?? '')?.[1];
    if (credential === undefined) throw new PlatformError('unauthenticated', { next });
    if (looksLikeJwt(credential)) return this.#ofToken(credential);
    const admin = await this.#ofAdminKey(credential);
    if (!admin) throw new PlatformError('unauthenticated', { next });
    return admin;
  }

  /** After `registry-changed`: of a user, whose roles or state may be others; of an identity provider. */
  forget(change: { readonly entity: string; readonly id: string }): void {
    if (change.entity === 'user') this.#directory.forget(change.id);
    if (change.entity === 'identity_provider') this.#loadedAt = 0;
  }

  async #ofToken(jwt: string): Promise<ApiUser> {
    const providers = await this.#trusted();
    const person = await this.#verifier.verify(jwt);
    const { userId } = await this.#directory.userOf(person);
    const provider = providers.find(({ id }) => id === person.providerId);
    const has = (wanted: readonly string[] = []) => wanted.some((role) => person.roles.includes(role));
    const rights = { isAdmin: has(provider?.adminRoles), isAuditor: has(provider?.auditorRoles) };
    return { kind: 'user', orgId: person.orgId, userId, person, jwt, ...rights };
  }

  /** Found by its digest, the operator's in constant time: how long it takes tells nothing of keys. */
  async #ofAdminKey(key: string): Promise<ApiAdmin | undefined> {
    const digest = createHash('sha256').update(key).digest();
    const { operatorKeySha256: operator } = this.options;
    if (operator !== null && timingSafeEqual(digest, Buffer.from(operator, 'hex')))
      return { kind: 'admin', orgId: DEFAULT_ORGANIZATION_ID, isOperator: true };
    const sql = `SELECT organization_id AS "orgId" FROM registry.v_admin_keys WHERE key_hash = $1`;
    const [row] = (await this.options.query(sql, [digest.toString('hex')])) as { orgId: string }[];
    return row && { kind: 'admin', orgId: row.orgId, isOperator: false };
  }

  async #trusted(): Promise<readonly Provider[]> {
    if (Date.now() - this.#loadedAt < keptMs) return this.#providers;
    const loadedAt = Date.now();
    this.#providers = (await this.options.query(providersSql)) as Provider[];
    this.#loadedAt = loadedAt;
    return this.#providers;
  }
}

const next = 'Send a user’s token, or an admin key, as Authorization: Bearer.';

const providersSql = `SELECT id, organization_id AS "orgId", issuer, audience, jwks_uri AS "jwksUri",
    roles_claim AS "rolesClaim", admin_roles AS "adminRoles", auditor_roles AS "auditorRoles", enabled
  FROM registry.v_identity_providers WHERE enabled ORDER BY id`;
