import { randomBytes, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { DEFAULT_ORGANIZATION_ID, PlatformError, toPlatformError } from '@switchyard/contracts';
import { RefusalThrottle, toPerson, type VerifiedPerson } from '@switchyard/identity';
import { AuditLogService } from '../audit/audit-log.service.js';
import type { IdentityProvider } from '../callers/identity-providers.repository.js';
import { IdentityService } from '../callers/identity.service.js';
import { OrganizationsRepository } from '../callers/organizations.repository.js';
import { SessionsService } from '../callers/sessions.service.js';
import { TOKEN_BROKER_CONFIG, type TokenBrokerConfig } from '../config.js';
import { VendorsService } from '../vendors/vendors.service.js';
import { authorizationUrl, type OpenIdRequest, redeem, type SignedInClaims } from './open-id.js';
import { ProviderSlots } from './provider-slots.js';
import { returnPath } from './return-path.js';
import { type SignInAttempt, SignInAttempts } from './sign-in-attempt.js';

const attemptMs = 600_000;
const cookie = 'sign_in';

/** Signs people in at the identity provider of their organization. */
@Injectable()
export class SignInsService {
  readonly #redirectUri: string;
  /** Anybody can open the callback. */
  readonly #throttle = new RefusalThrottle();
  readonly #slots = new ProviderSlots();

  constructor(
    private readonly identity: IdentityService,
    private readonly organizations: OrganizationsRepository,
    private readonly sessions: SessionsService,
    private readonly attempts: SignInAttempts,
    private readonly vendors: VendorsService,
    private readonly audit: AuditLogService,
    @Inject(TOKEN_BROKER_CONFIG) config: Pick<TokenBrokerConfig, 'publicUrl'>,
  ) {
    this.#redirectUri = `${config.publicUrl}/sign-in/callback`;
  }

  /** Where the organization's people can sign in; the operator's organization where none is named. */
  async providersOf(organization: string | undefined): Promise<IdentityProvider[]> {
    const found = organization ? await this.organizations.find(organization) : null;
    const orgId = organization ? found?.id : DEFAULT_ORGANIZATION_ID;
    return (await this.identity.providers()).filter((provider) => provider.orgId === orgId);
  }

  /** Where the browser goes, and the cookie that it takes along. */
  async begin(
    provider: IdentityProvider,
    { returnTo, prompt }: { returnTo: unknown; prompt: unknown },
  ): Promise<{ url: string; cookie: string }> {
    const attempt: SignInAttempt = {
      providerId: provider.id,
      state: random(),
      nonce: random(),
      codeVerifier: random(),
      returnTo: returnPath(returnTo),
      expiresAt: Date.now() + attemptMs,
    };
    const request = { ...this.#request(provider), isNewSignInWanted: prompt === 'login' };
    const url = await this.#slots.run(provider.id, () => authorizationUrl(request, attempt));
    return {
      url,
      cookie: this.sessions.cookies.write(cookie, this.attempts.seal(attempt), attemptMs / 1_000),
    };
  }

  /** The way back. Gives the cookies of the session and where to go on; throws with an audit row. */
  async complete(
    cookieHeader: string | undefined,
    params: URLSearchParams,
  ): Promise<{ cookies: string[]; returnTo: string }> {
    const attempt = await this.attempts.open(this.sessions.cookies.read(cookieHeader, cookie));
    const provider = (await this.identity.providers()).find(({ id }) => id === attempt?.providerId);
    try {
      if (!attempt || !provider || !isSame(params.get('state'), attempt.state))
        throw new PlatformError('unauthenticated', {
          message: 'This sign-in was not begun in this browser.',
        });
      const person = await this.#slots.run(provider.id, async () =>
        this.#personOf(provider, await redeem(this.#request(provider), params, attempt)),
      );
      const cookies = await this.#signIn(person);
      return { cookies: [...cookies, this.sessions.cookies.clear(cookie)], returnTo: attempt.returnTo };
    } catch (thrown) {
      await this.#noteRefusal(provider, toPlatformError(thrown));
      throw thrown;
    }
  }

  async #noteRefusal(provider: IdentityProvider | undefined, { code }: PlatformError): Promise<void> {
    const orgId = provider?.orgId ?? null;
    const untold = this.#throttle.next(orgId);
    if (untold === null) return;
    await this.audit.note({
      orgId,
      action: 'sign_in_refused',
      result: code === 'dependency_unavailable' ? 'failed' : 'refused',
      actor: { kind: 'anonymous', id: null },
      code,
      details: { ...(provider && { issuer: provider.issuer }), ...(untold > 0 && { untold }) },
    });
  }

  async #signIn(person: VerifiedPerson): Promise<string[]> {
    const { userId } = await this.identity.userOf(person);
    const { orgId, providerId, roles, displayName, username, issuer, claims } = person;
    await this.audit.record({
      ...{ orgId, action: 'signed_in', result: 'ok', userId, details: { issuer } },
      actor: { kind: 'user', id: userId },
    });
    const facts = { providerId, issuer, roles, name: displayName ?? username };
    return [await this.sessions.begin({ orgId, userId, facts, claims })];
  }

  /** Some providers put roles and more into the access token alone; it counts where it is a token for us of the same person. */
  async #personOf(
    provider: IdentityProvider,
    { claims, accessToken }: SignedInClaims,
  ): Promise<VerifiedPerson> {
    const person = toPerson(provider, claims);
    const other = await this.identity.verify(accessToken).catch(() => null);
    const isSamePerson = other?.issuer === person.issuer && other.subject === person.subject;
    if (!isSamePerson || other.orgId !== person.orgId) return person;
    const roles = person.roles.length > 0 ? person.roles : other.roles;
    return { ...person, roles, claims: { ...other.claims, ...person.claims } };
  }

  #request(provider: IdentityProvider): OpenIdRequest {
    return { provider, fetch: this.vendors.fetch, redirectUri: this.#redirectUri };
  }
}

function random(): string {
  return randomBytes(32).toString('base64url');
}

function isSame(a: string | null, b: string): boolean {
  const [given, expected] = [Buffer.from(a ?? ''), Buffer.from(b)];
  return given.length === expected.length && timingSafeEqual(given, expected);
}
