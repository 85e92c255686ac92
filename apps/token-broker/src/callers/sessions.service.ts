import { createHash, randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { BrowserSessionAnswer } from '@switchyard/contracts';
import { v7 as uuid } from 'uuid';
import { Cookies } from '@switchyard/service-kit';
import { TOKEN_BROKER_CONFIG, type TokenBrokerConfig } from '../config.js';
import type { UserCaller } from './caller.js';
import { IdentityService } from './identity.service.js';
import { sessionClaims } from './session-claims.js';
import { type SessionFacts, SessionsRepository } from './sessions.repository.js';

const lifeSeconds = 8 * 3_600;
const name = 'session';

/** Browser sessions: a random token in a cookie, its hash in the vault. */
@Injectable()
export class SessionsService {
  readonly cookies: Cookies;

  constructor(
    private readonly rows: SessionsRepository,
    private readonly identity: IdentityService,
    @Inject(TOKEN_BROKER_CONFIG) config: Pick<TokenBrokerConfig, 'publicUrl'>,
  ) {
    this.cookies = new Cookies(config.publicUrl);
  }

  /** A new session, never one that the browser brought (session fixation). Gives the cookie. */
  async begin(user: {
    orgId: string;
    userId: string;
    facts: SessionFacts;
    claims: Readonly<Record<string, unknown>>;
  }): Promise<string> {
    const token = randomBytes(32).toString('base64url');
    const claims = sessionClaims(user.claims);
    await this.rows.insert({ id: uuid(), tokenHash: hash(token), lifeSeconds, ...user, claims });
    return this.cookies.write(name, token, lifeSeconds);
  }

  /** The user of the cookie; null without a live session. What the provider's settings say now decides about roles. */
  async find(cookieHeader: string | undefined): Promise<(UserCaller & { sessionId: string }) | null> {
    const token = this.cookies.read(cookieHeader, name);
    const session = token ? await this.rows.find(hash(token)) : null;
    if (!session) return null;
    const { id: sessionId, orgId, userId, facts } = session;
    const rights = await this.rightsOf(facts.providerId, facts.roles);
    return { kind: 'user', orgId, userId, name: facts.name, sessionId, ...rights };
  }

  /** Who is signed in by the cookie of that digest, for the gateway's consent page. */
  async describe(sessionSha256: string): Promise<BrowserSessionAnswer> {
    const session = await this.rows.find(Buffer.from(sessionSha256, 'hex'));
    if (!session) return { status: 'signed_out' };
    const { orgId, userId, facts, claims, createdAt, expiresAt } = session;
    return {
      ...{ status: 'signed_in', orgId, userId, identityProviderId: facts.providerId },
      ...(facts.issuer !== undefined && { issuer: facts.issuer }),
      ...{ username: facts.name, roles: [...facts.roles], claims: { ...claims } },
      ...{ signedInAt: createdAt.getTime(), expiresAt: expiresAt.getTime() },
    };
  }

  /** What the roles of a provider's person give. */
  async rightsOf(
    providerId: string,
    roles: readonly string[],
  ): Promise<Pick<UserCaller, 'isAdmin' | 'isAuditor'>> {
    const provider = (await this.identity.providers()).find(({ id }) => id === providerId);
    const has = (wanted: readonly string[] = []): boolean => wanted.some((role) => roles.includes(role));
    return { isAdmin: has(provider?.adminRoles), isAuditor: has(provider?.auditorRoles) };
  }

  /** Gives the cookie that takes the session's away. */
  async end(sessionId: string): Promise<string> {
    await this.rows.delete(sessionId);
    return this.cookies.clear(name);
  }
}

function hash(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
