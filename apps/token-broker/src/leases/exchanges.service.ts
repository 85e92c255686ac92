import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { PlatformError } from '@switchyard/contracts';
import { type DiscoveredVendor, exchangeToken, type TokenOutcome } from '@switchyard/mcp-client';
import { Metrics } from '@switchyard/service-kit';
import { type AuditFacts, AuditLogService } from '../audit/audit-log.service.js';
import type { LeasedIntegration } from '../integrations/integrations.repository.js';
import { VendorsService } from '../vendors/vendors.service.js';
import type { ExchangedToken } from './exchanged-tokens.js';
import type { ExchangePlan } from './exchange-plan.js';
import type { CheckedAsk } from './lease-ask.js';
import type { Subject } from './subject-tokens.service.js';

type User = { readonly orgId: string; readonly userId: string };
type Exchange = { user: User; subject: Subject; plan: ExchangePlan; fetch: typeof fetch };
const vendorKeptMs = 600_000;

/** Exchanges users' tokens, each only once at a time, and writes down how it went. */
@Injectable()
export class ExchangesService {
  readonly #running = new Map<string, Promise<ExchangedToken>>();
  readonly #vendors = new Map<string, { vendor: DiscoveredVendor; until: number }>();

  constructor(
    private readonly vendors: VendorsService,
    private readonly audit: AuditLogService,
    private readonly metrics: Metrics,
  ) {}

  /** Discovery is asked for again after a change of the integration, and every ten minutes. */
  async vendorOf(integration: LeasedIntegration): Promise<DiscoveredVendor> {
    const name = `${integration.id}.${integration.version}`;
    const kept = this.#vendors.get(name);
    if (kept && kept.until > Date.now()) return kept.vendor;
    const vendor = await this.vendors.discover(integration, null);
    if ('open' in vendor)
      throw new PlatformError('token_exchange_failed', {
        message: 'The server names no authorization server.',
      });
    if (this.#vendors.size > 1_000) this.#vendors.clear();
    this.#vendors.set(name, { vendor, until: Date.now() + vendorKeptMs });
    return vendor;
  }

  /** Throws `token_exchange_failed` or `authorization_server_unavailable`. */
  async exchange(name: string, ask: CheckedAsk, exchange: Exchange): Promise<ExchangedToken> {
    const running = this.#running.get(name) ?? this.#exchange(ask, exchange);
    this.#running.set(name, running);
    return running.finally(() => this.#running.delete(name));
  }

  async refused(ask: CheckedAsk, user: User, { code, details }: PlatformError): Promise<void> {
    this.#count(code);
    await this.audit.note({
      ...facts(ask, user),
      action: 'exchange_refused',
      result: code === 'authorization_server_unavailable' ? 'failed' : 'refused',
      code,
      details: typeof details?.reason === 'string' ? { reason: details.reason } : {},
    });
  }

  async #exchange(ask: CheckedAsk, { user, subject, plan, fetch }: Exchange): Promise<ExchangedToken> {
    const { server, client, audience, resource, scopes } = plan;
    const request = { server, client, fetch, audience, resource, scopes, subjectToken: subject.jwt };
    const tokens = tokensOf(await exchangeToken(request));
    this.#count('ok');
    await this.audit.note({
      ...facts(ask, user),
      action: 'token_exchanged',
      result: 'ok',
      authPath: 'exchanged_token',
      details: { issuer: server.issuer, scopes: tokens.scopes ?? [...(scopes ?? [])] },
    });
    return {
      accessToken: tokens.accessToken,
      expiresAt: tokens.expiresAt,
      credential: `exchanged-${randomUUID()}`,
      principal: `user-${user.userId}`,
    };
  }

  #count(outcome: string): void {
    this.metrics
      .counter({
        name: 'switchyard_exchanges_total',
        help: 'Exchanges of users’ tokens, by outcome; what the cache answers is not counted.',
        labelNames: ['outcome'],
      })
      .inc({ outcome });
  }
}

function facts({ request, integration }: CheckedAsk, user: User): Omit<AuditFacts, 'action' | 'result'> {
  return {
    orgId: user.orgId,
    actor: { kind: 'user', id: user.userId },
    userId: user.userId,
    integrationId: integration.id,
    callId: request.call?.call.callId ?? null,
  };
}

function tokensOf(outcome: TokenOutcome): Extract<TokenOutcome, { status: 'ok' }>['tokens'] {
  if (outcome.status === 'ok') return outcome.tokens;
  if (outcome.status === 'unavailable')
    throw new PlatformError('authorization_server_unavailable', {
      retryAfterMs: outcome.retryAfterMs ?? 1_000,
      details: { reason: outcome.reason },
    });
  throw new PlatformError('token_exchange_failed', { details: { reason: outcome.error } });
}
