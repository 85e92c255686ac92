import { createHash, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { DEFAULT_ORGANIZATION_ID, PlatformError } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import { isSameOrigin } from '@switchyard/service-kit';
import type { FastifyRequest } from 'fastify';
import { type PresentedCredential, presentedCredential } from '../../auth/presented-credential.js';
import { RefusedCallers } from '../../auth/refused-callers.service.js';
import { UserTokens } from '../../auth/user-tokens.service.js';
import { GATEWAY_CONFIG, type GatewayConfig } from '../../config.js';
import { BrowserSessions } from '../interaction/browser-sessions.service.js';
import { Issuer } from '../issuer.js';
import { Admission } from '../server/admission.service.js';
import type { GrantOwner } from './grants.repository.js';

/** Whose grants somebody may see and end. */
export type GrantCaller = { readonly owner: GrantOwner; readonly isAdmin: boolean };

/** Users, by a token or in a browser, have their own; admins all of their organization. */
@Injectable()
export class GrantCallers {
  constructor(
    private readonly userTokens: UserTokens,
    private readonly refused: RefusedCallers,
    private readonly sessions: BrowserSessions,
    private readonly issuer: Issuer,
    private readonly admission: Admission,
    private readonly sql: Sql,
    @Inject(GATEWAY_CONFIG) private readonly config: Pick<GatewayConfig, 'oauth'>,
  ) {}

  /** Throws `unauthenticated`, `origin_not_allowed`, `rate_limited`, and what a token is refused with. */
  async authenticate(request: FastifyRequest): Promise<GrantCaller> {
    const credential = presentedCredential(request.raw.headersDistinct);
    try {
      return await this.#judge(credential, request);
    } catch (thrown) {
      if (thrown instanceof PlatformError && credential.kind !== 'none')
        this.#noteRefusal(credential, thrown);
      throw thrown;
    }
  }

  #noteRefusal(credential: PresentedCredential, { code }: PlatformError): void {
    const orgId = credential.kind === 'user_token' ? this.userTokens.organizationMeant(credential.jwt) : null;
    this.refused.note(code, 'oauth_grants', orgId);
  }

  async #judge(credential: PresentedCredential, request: FastifyRequest): Promise<GrantCaller> {
    switch (credential.kind) {
      case 'none':
        return this.#ofBrowser(request);
      case 'virtual_key':
        return this.#ofAdminKey(credential.key);
      case 'user_token':
        return this.#ofToken(credential.jwt);
      case 'conflict':
        throw new PlatformError('credentials_conflict');
      case 'unreadable':
        throw new PlatformError('unauthenticated');
    }
  }

  async #ofToken(jwt: string): Promise<GrantCaller> {
    const { caller, userToken } = await this.userTokens.authenticate(jwt, 'mcp');
    const { orgId, userId, roles } = caller;
    return this.#ofUser({ orgId, userId, roles, providerId: userToken?.providerId ?? null });
  }

  /** A browser sends the cookie with whatever any page asks for: what changes something must come from our own. */
  async #ofBrowser(request: FastifyRequest): Promise<GrantCaller> {
    const origin = this.issuer.origin();
    // Made-up cookies cost a question to the token broker each.
    await this.admission.admit(request, 'pages');
    const user = origin === null ? null : await this.sessions.find(origin, request.headers.cookie);
    if (origin === null || !user)
      throw new PlatformError('unauthenticated', { message: 'Sign in first, or send a user’s token.' });
    const isSafe = request.method === 'GET' && request.headers.origin === undefined;
    if (!isSafe && !isSameOrigin(request, origin)) throw new PlatformError('origin_not_allowed');
    const { orgId, userId, roles, identityProviderId } = user;
    return this.#ofUser({ orgId, userId, roles, providerId: identityProviderId });
  }

  async #ofAdminKey(key: string): Promise<GrantCaller> {
    const digest = createHash('sha256').update(key).digest();
    const { operatorKeySha256: operator } = this.config.oauth;
    const isOperator = operator !== null && timingSafeEqual(digest, Buffer.from(operator, 'hex'));
    const rows = await this.sql.query<{ orgId: string }>(
      `SELECT organization_id AS "orgId" FROM registry.v_admin_keys WHERE key_hash = $1`,
      [digest.toString('hex')],
    );
    const orgId = isOperator ? DEFAULT_ORGANIZATION_ID : rows[0]?.orgId;
    if (orgId === undefined)
      throw new PlatformError('unauthenticated', {
        message: 'Send a user’s token or an admin key; a virtual key has no grants.',
      });
    return { owner: { orgId, userId: null }, isAdmin: true };
  }

  async #ofUser(user: {
    orgId: string;
    userId: string | null;
    roles: readonly string[];
    providerId: string | null;
  }): Promise<GrantCaller> {
    const { orgId, userId, roles, providerId } = user;
    const rows = await this.sql.query<{ adminRoles: string[] }>(
      `SELECT admin_roles AS "adminRoles" FROM registry.v_identity_providers
       WHERE id = $1 AND organization_id = $2 AND enabled`,
      [providerId, orgId],
    );
    const isAdmin = rows.some(({ adminRoles }) => adminRoles.some((role) => roles.includes(role)));
    return { owner: { orgId, userId: isAdmin ? null : userId }, isAdmin };
  }
}
