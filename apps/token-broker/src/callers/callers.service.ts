import { createHash, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { DEFAULT_ORGANIZATION_ID, PlatformError, toPlatformError } from '@switchyard/contracts';
import { looksLikeJwt, organizationMeant, RefusalThrottle } from '@switchyard/identity';
import { isSameOrigin, type RequestFacts } from '@switchyard/service-kit';
import { AuditLogService } from '../audit/audit-log.service.js';
import { TOKEN_BROKER_CONFIG, type TokenBrokerConfig } from '../config.js';
import { AdminKeysRepository } from './admin-keys.repository.js';
import type { Caller, UserCaller } from './caller.js';
import { IdentityService } from './identity.service.js';
import { SessionsService } from './sessions.service.js';

/** Who calls the API: a token or key in the header, which is never mixed with the browser's session. */
@Injectable()
export class CallersService {
  readonly #throttle = new RefusalThrottle();

  constructor(
    private readonly identity: IdentityService,
    private readonly sessions: SessionsService,
    private readonly adminKeys: AdminKeysRepository,
    private readonly audit: AuditLogService,
    @Inject(TOKEN_BROKER_CONFIG)
    private readonly config: Pick<TokenBrokerConfig, 'publicUrl' | 'operatorKeySha256'>,
  ) {}

  /** Throws `unauthenticated` and its like, with an audit row where a credential came that does not hold. */
  async authenticate(request: RequestFacts): Promise<Caller> {
    const { authorization } = request.headers;
    if (authorization === undefined) return this.#ofSession(request);
    try {
      return await this.#ofBearer(authorization);
    } catch (thrown) {
      const error = toPlatformError(thrown);
      await this.#noteRefusal(authorization, error);
      throw error;
    }
  }

  async #noteRefusal(authorization: string, { code }: PlatformError): Promise<void> {
    const issuers = await this.identity.providers().catch(() => []);
    const orgId = organizationMeant(authorization.replace(/^Bearer /i, ''), issuers);
    const untold = this.#throttle.next(orgId);
    if (untold === null) return;
    await this.audit.note({
      orgId,
      action: 'caller_refused',
      result: code === 'dependency_unavailable' ? 'failed' : 'refused',
      actor: { kind: 'anonymous', id: null },
      code,
      details: { at: 'token-broker', ...(untold > 0 && { untold }) },
    });
  }

  /** A refused credential never falls through to another way in. */
  async #ofBearer(authorization: string): Promise<Caller> {
    const credential = /^Bearer ([!-~]+)$/i.exec(authorization)?.[1];
    if (!credential) throw new PlatformError('unauthenticated');
    if (looksLikeJwt(credential)) return this.#ofToken(credential);
    const admin = await this.#ofAdminKey(credential);
    if (!admin) throw new PlatformError('unauthenticated');
    return admin;
  }

  async #ofToken(jwt: string): Promise<UserCaller> {
    const { person, userId } = await this.identity.signedIn(jwt);
    const rights = await this.sessions.rightsOf(person.providerId, person.roles);
    const name = person.displayName ?? person.username;
    return { kind: 'user', orgId: person.orgId, userId, name, sessionId: null, ...rights };
  }

  async #ofAdminKey(key: string): Promise<Caller | null> {
    const digest = createHash('sha256').update(key).digest();
    const { operatorKeySha256: operator } = this.config;
    if (operator !== null && timingSafeEqual(digest, Buffer.from(operator, 'hex')))
      return { kind: 'admin', orgId: DEFAULT_ORGANIZATION_ID, isOperator: true };
    const orgId = await this.adminKeys.organizationOf(digest.toString('hex'));
    return orgId === null ? null : { kind: 'admin', orgId, isOperator: false };
  }

  /** A browser sends the cookie along with whatever any page asks for: what changes something must come from ours. */
  async #ofSession(request: RequestFacts): Promise<UserCaller> {
    const isSafe = request.method === 'GET' || request.method === 'HEAD';
    const user = await this.sessions.find(request.headers.cookie);
    if (!user) throw new PlatformError('unauthenticated', { message: 'Sign in first.' });
    if (isSafe ? isForeign(request, this.config.publicUrl) : !isSameOrigin(request, this.config.publicUrl))
      throw new PlatformError('origin_not_allowed');
    return user;
  }
}

function isForeign(request: RequestFacts, publicUrl: string): boolean {
  return request.headers.origin !== undefined && !isSameOrigin(request, publicUrl);
}
