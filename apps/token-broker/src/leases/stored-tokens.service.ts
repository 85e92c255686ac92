import { Inject, Injectable } from '@nestjs/common';
import { type AuthPath, PlatformError } from '@switchyard/contracts';
import { Log } from '@switchyard/service-kit';
import { TOKEN_BROKER_CONFIG, type TokenBrokerConfig } from '../config.js';
import {
  type Credential,
  type CredentialRow,
  credentialTag,
  liveState,
  principalOf,
} from '../credentials/credential.js';
import { CredentialCipher } from '../credentials/credential-cipher.js';
import { CredentialNewsService } from '../credentials/credential-news.service.js';
import { CredentialsRepository } from '../credentials/credentials.repository.js';
import { serverUrlOf } from '../integrations/integrations.repository.js';
import { type RefreshOutcome, RefreshesService } from '../refreshes/refreshes.service.js';
import { isAlive, isStale, leaseEnd } from '../refreshes/token-life.js';
import { needsReauth, noIdentity, reauthDetails } from './identity-errors.js';
import type { CheckedAsk, LeaseGrant, LeaseRefusal } from './lease-ask.js';

/** As whom a stored credential is leased. */
export type Holder = {
  readonly row: CredentialRow;
  readonly authPath: Extract<AuthPath, 'user_token' | 'service_user' | 'service_token'>;
  /** A dead credential is refused so that a present user connects again; unattended callers can only be told no. */
  readonly isAttended: boolean;
};

/** Turns stored tokens into leases: judge what the upstream said of the last one → refresh if need be → lease. */
@Injectable()
export class StoredTokensService {
  constructor(
    private readonly rows: CredentialsRepository,
    private readonly cipher: CredentialCipher,
    private readonly refreshes: RefreshesService,
    private readonly news: CredentialNewsService,
    private readonly log: Log,
    @Inject(TOKEN_BROKER_CONFIG) private readonly config: Pick<TokenBrokerConfig, 'publicUrl' | 'leaseTtlMs'>,
  ) {}

  async lease(ask: CheckedAsk, holder: Holder): Promise<LeaseGrant | LeaseRefusal> {
    const { credential } = holder.row;
    const isRefused = ask.request.refused?.credential === credentialTag(credential);
    const refusal = await this.#verdict(ask, holder, isRefused);
    if (refusal) return refusal;
    if (!isRefused && !this.#needsRefresh(ask, holder)) return this.#grant(ask, holder);
    if (credential.userId !== null && !credential.hasRefreshToken)
      return this.#withoutRefresh(ask, holder, isRefused);
    const outcome = await this.refreshes.refresh(ask.integration, credential);
    return this.#afterRefresh(ask, holder, outcome, isRefused);
  }

  /** What is known before anything is tried: by the integration, the upstream, and the credential's state. */
  async #verdict(ask: CheckedAsk, holder: Holder, isRefused: boolean): Promise<LeaseRefusal | null> {
    const { credential } = holder.row;
    const { refused, insufficientScopes } = ask.request;
    if (hasMoved(ask, credential)) return this.#dead(ask, holder, 'integration_moved');
    // Somebody may have connected again with more scopes since the worker got its lease.
    if (insufficientScopes && (refused === null || isRefused))
      return this.#insufficient(ask, holder, insufficientScopes);
    if (isRefused && refused?.again) return this.#givenUp(ask, holder);
    return isDead(credential) ? this.#dead(ask, holder, credential.stateReason ?? credential.state) : null;
  }

  #needsRefresh({ integration, now }: CheckedAsk, { row: { credential, sealed } }: Holder): boolean {
    if (sealed.accessToken === null || isStale(credential, now)) return true;
    if (credential.userId !== null) return false;
    const clientId = integration.oauth?.client_id;
    return (
      credential.serverUrl !== serverUrlOf(integration) ||
      (clientId !== undefined && clientId !== credential.clientId)
    );
  }

  async #grant({ now }: CheckedAsk, { row, authPath }: Holder): Promise<LeaseGrant> {
    const { credential, sealed } = row;
    const { accessToken } = await this.cipher.open(credential, sealed);
    if (accessToken === null) throw new Error('A live credential has no token.');
    this.rows
      .touch(credential.id)
      .catch((err: unknown) => this.log.warn({ err, credentialId: credential.id }, 'last use not noted'));
    return {
      authPath,
      content: { headers: { Authorization: `Bearer ${accessToken}` }, env: {} },
      expiresAt: leaseEnd(credential.expiresAt?.getTime() ?? null, now, this.config.leaseTtlMs),
      principal: principalOf(credential),
      credential: credentialTag(credential),
    };
  }

  /** A token that cannot be refreshed is good until it is refused or expires. */
  async #withoutRefresh(
    ask: CheckedAsk,
    holder: Holder,
    isRefused: boolean,
  ): Promise<LeaseGrant | LeaseRefusal> {
    if (!isRefused && isAlive(holder.row.credential, ask.now)) return this.#grant(ask, holder);
    return this.#givenUp(ask, holder, isRefused ? 'refused_by_server' : 'expired');
  }

  async #afterRefresh(
    ask: CheckedAsk,
    holder: Holder,
    outcome: RefreshOutcome,
    isRefused: boolean,
  ): Promise<LeaseGrant | LeaseRefusal> {
    const { credential, sealed } = holder.row;
    switch (outcome.status) {
      case 'fresh':
      case 'meanwhile':
        return this.#grant(ask, { ...holder, row: outcome.row });
      case 'gone':
        return this.#dead(ask, holder, 'disconnected');
      case 'dead':
        return this.#dead(ask, holder, outcome.reason);
      case 'unavailable':
      case 'refused':
        if (!isRefused && sealed.accessToken !== null && isAlive(credential, ask.now))
          return this.#grant(ask, holder);
        return this.#unrefreshed(ask, holder, outcome);
    }
  }

  #unrefreshed(
    { integration }: CheckedAsk,
    { authPath }: Holder,
    outcome: Extract<RefreshOutcome, { status: 'unavailable' | 'refused' }>,
  ): LeaseRefusal {
    const { id, slug } = integration;
    const details = { integration: slug, integration_id: id, reason: outcome.reason };
    if (outcome.status === 'unavailable') {
      const retryAfterMs = outcome.retryAfterMs ?? 1_000;
      return {
        authPath,
        error: new PlatformError('authorization_server_unavailable', { retryAfterMs, details }),
      };
    }
    if (outcome.error) return { authPath: 'auth_context_unavailable', error: outcome.error };
    return noIdentity(
      'The vendor does not take the integration’s OAuth client; an admin has to check it.',
      details,
    );
  }

  /** The upstream refused a token that was new: connecting again is what is left, or an admin's look. */
  async #givenUp(ask: CheckedAsk, holder: Holder, reason = 'refused_by_server'): Promise<LeaseRefusal> {
    const { credential } = holder.row;
    if (await this.rows.setState(credential, 'needs_reauth', reason))
      await this.news.tell({ ...ownerOf(credential), state: 'needs_reauth' });
    return this.#dead(ask, holder, reason);
  }

  #dead({ integration, request }: CheckedAsk, holder: Holder, reason: string): LeaseRefusal {
    const { publicUrl } = this.config;
    const why = `${wordsOf(reason)}`;
    if (holder.authPath === 'service_token') {
      const { id, slug } = integration;
      const details = { integration: slug, integration_id: id, reason };
      return {
        authPath: 'service_token',
        error: new PlatformError('upstream_denied', { message: why, details }),
      };
    }
    if (holder.isAttended || request.call === null) return needsReauth(publicUrl, integration, why);
    return noIdentity(`The service identity has to be connected again. ${why}`, {
      ...reauthDetails(publicUrl, integration),
      reason,
    });
  }

  async #insufficient(
    ask: CheckedAsk,
    { row, authPath }: Holder,
    scopes: readonly string[],
  ): Promise<LeaseRefusal> {
    const { credential } = row;
    await this.rows.addNeededScopes(credential.id, scopes);
    if (liveState(credential) === 'active')
      await this.news.tell({ ...ownerOf(credential), state: 'needs_update' });
    const details = { ...reauthDetails(this.config.publicUrl, ask.integration), scopes };
    return { authPath, error: new PlatformError('scope_insufficient', { details }) };
  }
}

/** A user's credential goes nowhere but where its user sent it. */
function hasMoved({ integration }: CheckedAsk, { userId, serverUrl }: Credential): boolean {
  return userId !== null && serverUrl !== serverUrlOf(integration);
}

/** The integration's own credential is never dead: whatever it was, a new token may be asked for. */
function isDead(credential: Credential): boolean {
  const state = liveState(credential);
  return credential.userId !== null && (state === 'needs_reauth' || state === 'pending');
}

function ownerOf({ orgId, integrationId, userId }: Credential) {
  return { orgId, integrationId, userId };
}

const words: Record<string, string> = {
  pending: 'Its consent was begun and not finished.',
  revoked_by_vendor: 'The vendor has ended the consent.',
  refused_by_server: 'The server refuses the credential.',
  expired: 'The credential has expired.',
  disconnected: 'It was disconnected.',
  client_forgotten: 'The vendor has forgotten our client, which is registered again.',
  client_changed: 'The integration has another OAuth client now.',
  integration_moved: 'The integration has another address now.',
  issuer_changed: 'The integration has another authorization server now.',
  token_endpoint_changed: 'The integration has another token endpoint now.',
};

function wordsOf(reason: string): string {
  return words[reason] ?? 'The credential does not work any more.';
}
