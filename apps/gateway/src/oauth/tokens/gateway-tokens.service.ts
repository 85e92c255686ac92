import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { policyClaimPaths, projectClaims, type Snapshot, SnapshotStore } from '@switchyard/access';
import { type CallerContext, PlatformError } from '@switchyard/contracts';
import { LruMap } from '@switchyard/service-kit';
import { decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose';
import { z } from 'zod';
import { oauthPrincipal, type Principal } from '../../auth/principal.js';
import type { LiveGrant } from '../grants/grants.repository.js';
import { GrantsService } from '../grants/grants.service.js';
import { Issuer } from '../issuer.js';
import { SigningKeys, signingAlgorithm } from '../keys/signing-keys.service.js';

const keptVerified = 5_000;
/** Then its key is looked at again, which may have been retired. */
const keptMs = 60_000;

const Claims = z.looseObject({
  sub: z.uuid(),
  // No token for several: who may take it in one place may not in another.
  aud: z.string(),
  exp: z.number(),
  grant_id: z.uuid(),
  org_id: z.uuid(),
  client_id: z.string(),
});
type Claims = z.infer<typeof Claims>;

/** Judges access tokens that this gateway has issued (RFC 9068). */
@Injectable()
export class GatewayTokens {
  readonly #verified = new LruMap<string, { claims: Claims; until: number }>(keptVerified);

  constructor(
    private readonly issuer: Issuer,
    private readonly keys: SigningKeys,
    private readonly grants: GrantsService,
    private readonly snapshots: SnapshotStore,
  ) {}

  /** Whether a JWT says that it is one of ours; then it is judged as that, and as nothing else. */
  isOurs(jwt: string): boolean {
    const origin = this.issuer.origin();
    try {
      return origin !== null && decodeJwt(jwt).iss === origin;
    } catch {
      return false;
    }
  }

  /** Whose token a refused one says that it is, for the audit log alone. */
  organizationMeant(jwt: string): string | null {
    const { org_id: orgId } = this.isOurs(jwt) ? decodeJwt(jwt) : {};
    return typeof orgId === 'string' && this.snapshots.current().organizations.has(orgId) ? orgId : null;
  }

  /**
   * `path`: the MCP endpoint to which the request came; a token for any other is refused. By which name of this gateway
   * it came does not matter: replicas behind a proxy have names of their own. Throws `unauthenticated` and its like.
   */
  async authenticate(jwt: string, path: string, runKind: CallerContext['runKind']): Promise<Principal> {
    const digest = createHash('sha256').update(`${path}\n${jwt}`).digest('base64url');
    const claims = await this.#verify(jwt, path, digest);
    const grant = await this.grants.find(claims.grant_id);
    const isTheirs =
      grant?.userId === claims.sub &&
      grant.orgId === claims.org_id &&
      grant.clientId === claims.client_id &&
      grant.resource === claims.aud;
    if (!grant || !isTheirs)
      throw new PlatformError('unauthenticated', { message: 'What the user allowed is over.' });
    const { id, orgId, userId, identityProviderId, issuer, expiresAt } = grant;
    return oauthPrincipal(
      this.#describer(grant, runKind),
      { id, orgId, userId, identityProviderId, issuer, expiresAt, tokenExpiresAt: claims.exp * 1_000 },
      digest.slice(0, 16),
    );
  }

  /** Whether who was authenticated before may go on. */
  isStillValid({ oauthGrant }: Principal): boolean {
    return (
      oauthGrant !== undefined && oauthGrant.tokenExpiresAt > Date.now() && this.grants.isLive(oauthGrant)
    );
  }

  /** By the policies of now: while a stream is open an admin may ask for other claims. */
  #describer(grant: LiveGrant, runKind: CallerContext['runKind']): () => CallerContext {
    const { id, orgId, userId, roles, issuer, integrationIds } = grant;
    // Grants from before sessions kept it have none of their own.
    const claims = { ...(issuer !== null && { iss: issuer }), ...grant.claims };
    const caller: CallerContext = {
      ...{ kind: 'user', orgId, userId, virtualKeyId: null, runKind, roles: [...roles] },
      ...{ hasSubjectToken: false, oauthGrantId: id },
      ...(integrationIds && { sharedIntegrationIds: [...integrationIds] }),
    };
    let seen: Snapshot | undefined;
    let described = caller;
    return () => {
      const snapshot = this.snapshots.current();
      if (snapshot === seen) return described;
      seen = snapshot;
      described = { ...caller, claims: projectClaims(claims, policyClaimPaths(snapshot, orgId)) };
      return described;
    };
  }

  async #verify(jwt: string, path: string, digest: string): Promise<Claims> {
    const known = this.#verified.get(digest);
    if (known && known.until > Date.now()) return known.claims;
    const claims = Claims.safeParse(await this.#signed(jwt, path));
    if (!claims.success) throw new PlatformError('unauthenticated');
    const until = Math.min(claims.data.exp * 1_000, Date.now() + keptMs);
    this.#verified.set(digest, { claims: claims.data, until });
    return claims.data;
  }

  async #signed(jwt: string, path: string): Promise<JWTPayload> {
    const issuer = this.issuer.origin();
    if (issuer === null) throw new PlatformError('unauthenticated');
    const audience = this.issuer.resourceOrigins().map((origin) => `${origin}${path}`);
    try {
      const { payload } = await jwtVerify(jwt, ({ kid }) => this.#key(kid), {
        ...{ issuer, audience, typ: 'at+jwt', algorithms: [signingAlgorithm] },
        requiredClaims: ['exp', 'sub', 'jti'],
      });
      return payload;
    } catch (cause) {
      if (cause instanceof errors.JWTExpired) throw new PlatformError('token_expired', { cause });
      if (!(cause instanceof errors.JOSEError)) throw cause;
      const isElsewhere = cause instanceof errors.JWTClaimValidationFailed && cause.claim === 'aud';
      throw new PlatformError('unauthenticated', {
        message: isElsewhere ? 'The token is for another resource.' : 'The token does not hold.',
        cause,
      });
    }
  }

  async #key(kid: string | undefined) {
    const key = kid === undefined ? undefined : await this.keys.publicKey(kid);
    if (!key) throw new errors.JWKSNoMatchingKey();
    return key;
  }
}
