import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { type AuthMode, PlatformError, toPlatformError } from '@switchyard/contracts';
import { TOKEN_BROKER_CONFIG, type TokenBrokerConfig } from '../config.js';
import { exchangePlan, type ExchangePlan } from './exchange-plan.js';
import { leaseEnd } from '../refreshes/token-life.js';
import { OAuthClientsService } from '../vendors/oauth-clients.service.js';
import { VendorsService } from '../vendors/vendors.service.js';
import { ExchangedTokens, type ExchangedToken } from './exchanged-tokens.js';
import { ExchangesService } from './exchanges.service.js';
import { GrantClientCredentials } from './grant-client-credentials.js';
import { needsReauth, noIdentity, reauthDetails } from './identity-errors.js';
import type { CheckedAsk, LeaseGrant, LeaseGranter, LeaseRefusal } from './lease-ask.js';
import { isDiscovery, presentUser } from './lease-identity.js';
import { type Subject, SubjectTokensService } from './subject-tokens.service.js';

type User = { readonly orgId: string; readonly userId: string };

/** The present user's own token, exchanged for one of the integration (RFC 8693). Discovery uses the client's own token. */
@Injectable()
export class GrantTokenExchange implements LeaseGranter {
  readonly authModes: readonly AuthMode[] = ['token_exchange'];
  readonly #kept = new ExchangedTokens();

  constructor(
    private readonly subjects: SubjectTokensService,
    private readonly exchanges: ExchangesService,
    private readonly vendors: VendorsService,
    private readonly clients: OAuthClientsService,
    private readonly own: GrantClientCredentials,
    @Inject(TOKEN_BROKER_CONFIG) private readonly config: Pick<TokenBrokerConfig, 'publicUrl' | 'leaseTtlMs'>,
  ) {}

  async grant(ask: CheckedAsk): Promise<LeaseGrant | LeaseRefusal> {
    if (isDiscovery(ask)) return this.own.grant(ask);
    const user = presentUser(ask);
    if (!user?.hasSubjectToken || !ask.request.subjectToken)
      return noIdentity('It needs the signed-in user’s own token, and none came with the call.');
    const refusal = this.#verdictOfUpstream(ask);
    if (refusal) return refusal;
    try {
      return await this.#exchange(ask, user, await this.subjects.open(ask, user));
    } catch (thrown) {
      return this.#refuse(ask, user, toPlatformError(thrown));
    }
  }

  /** What the upstream said of an exchanged token that was new, or of its scopes, no further exchange changes. */
  #verdictOfUpstream({ request, integration }: CheckedAsk): LeaseRefusal | null {
    const details = reauthDetails(this.config.publicUrl, integration);
    const { insufficientScopes: scopes } = request;
    if (scopes) {
      const error = new PlatformError('scope_insufficient', { details: { ...details, scopes } });
      return { authPath: 'exchanged_token', error };
    }
    if (!request.refused?.again) return null;
    const message = 'The server refuses the exchanged token.';
    return {
      authPath: 'exchanged_token',
      error: new PlatformError('token_exchange_failed', { message, details }),
    };
  }

  async #exchange(ask: CheckedAsk, user: User, subject: Subject): Promise<LeaseGrant> {
    const { integration, request, now } = ask;
    const vendor = await this.exchanges.vendorOf(integration);
    const client = await this.clients.clientOf(integration, vendor.server);
    const plan = exchangePlan(integration, vendor, client);
    const name = cacheName(ask, { user, subject, plan });
    if (request.refused) this.#kept.drop(name, request.refused.credential);
    const token = this.#kept.get(name, now) ?? (await this.#ask(ask, { user, subject, plan, name }));
    return {
      authPath: 'exchanged_token',
      content: { headers: { Authorization: `Bearer ${token.accessToken}` }, env: {} },
      expiresAt: leaseEnd(least(token.expiresAt, subject.person.expiresAt), now, this.config.leaseTtlMs),
      principal: token.principal,
      credential: token.credential,
    };
  }

  async #ask(
    ask: CheckedAsk,
    { user, subject, plan, name }: { user: User; subject: Subject; plan: ExchangePlan; name: string },
  ): Promise<ExchangedToken> {
    const token = await this.exchanges.exchange(name, ask, {
      user,
      subject,
      plan,
      fetch: this.vendors.fetch,
    });
    this.#kept.put(name, token, { now: ask.now, subjectExpiresAt: subject.person.expiresAt });
    return token;
  }

  async #refuse(ask: CheckedAsk, user: User, error: PlatformError): Promise<LeaseRefusal> {
    await this.exchanges.refused(ask, user, error);
    if (error.code === 'token_expired')
      return needsReauth(
        this.config.publicUrl,
        ask.integration,
        'The user’s own token has expired: sign in again.',
      );
    const isIdentity = error.code === 'unauthenticated' || error.code === 'user_inactive';
    return isIdentity ? noIdentity(error.message) : { authPath: 'exchanged_token', error };
  }
}

/** Every fact that decides the answer (CVE-2026-19202 is a cache that left some out). */
function cacheName(
  { integration }: CheckedAsk,
  { user, subject, plan }: { user: User; subject: Subject; plan: ExchangePlan },
): string {
  const { server, client, audience, resource, scopes } = plan;
  const facts = [
    ...[user.orgId, user.userId, subject.sha256, integration.id, integration.version, server.issuer],
    ...[server.tokenEndpoint, client.clientId, client.clientSecret, audience, resource, scopes],
  ];
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex');
}

function least(a: number | null, b: number): number {
  return a === null ? b : Math.min(a, b);
}
