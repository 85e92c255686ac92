import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import {
  type AuthorizationServer,
  checkAuthorizationResponse,
  ConsentError,
  redeemCode,
  startConsent,
  type Tokens,
} from '@switchyard/mcp-client';
import { AuditLogService } from '../audit/audit-log.service.js';
import type { UserCaller } from '../callers/caller.js';
import { CredentialCipher } from '../credentials/credential-cipher.js';
import { CredentialNewsService } from '../credentials/credential-news.service.js';
import { CredentialsRepository } from '../credentials/credentials.repository.js';
import type { LeasedIntegration } from '../integrations/integrations.repository.js';
import { type KnownClient, OAuthClientsService } from '../vendors/oauth-clients.service.js';
import { VendorsService } from '../vendors/vendors.service.js';
import { BrowserCodes } from './browser-codes.js';
import { ConsentProblem } from './consent-problem.js';
import { type Connection, ConnectionsService, problemOf } from './connections.service.js';
import { type Consent, ConsentsRepository } from './consents.repository.js';

type SessionUser = UserCaller & { readonly sessionId: string };

/** A client that was made this long ago may have been forgotten by its vendor meanwhile. */
const probedAfterMs = 60_000;

/** Consent flows: begin → the vendor's pages → complete. */
@Injectable()
export class ConsentsService {
  constructor(
    private readonly connections: ConnectionsService,
    private readonly rows: ConsentsRepository,
    private readonly credentials: CredentialsRepository,
    private readonly cipher: CredentialCipher,
    private readonly vendors: VendorsService,
    private readonly clients: OAuthClientsService,
    private readonly codes: BrowserCodes,
    private readonly news: CredentialNewsService,
    private readonly audit: AuditLogService,
  ) {}

  /** The URL of the vendor's page; in the end the user comes to `returnTo`. Throws `ConsentProblem`. */
  async begin(connection: Connection, user: SessionUser, returnTo: string | null = null): Promise<string> {
    const { integration, forUser, present, serverUrl, isService } = connection;
    const { vendor, scopes } = await this.connections.ask(connection);
    const { server, resource } = vendor;
    const client = await this.#client(integration, server, scopes);
    const consent: Consent = {
      id: randomUUID(),
      orgId: forUser.orgId,
      integrationId: integration.id,
      userId: user.userId,
      forUserId: forUser.userId,
      sessionId: user.sessionId,
      issuer: server.issuer,
      facts: {
        resource,
        scopes,
        neededScopes: present?.neededScopes ?? [],
        clientId: client.clientId,
        serverUrl,
        tokenEndpoint: server.tokenEndpoint,
        isService,
        returnTo,
      },
    };
    const state = this.codes.stateOf(consent);
    const { redirectUri } = this.clients;
    const { url, codeVerifier } = await startConsent({
      server,
      client,
      redirectUri,
      state,
      scopes,
      resource,
    }).catch((thrown: unknown) => Promise.reject(problemOf(thrown, integration.id)));
    await this.rows.insert(consent, codeVerifier);
    const owner = { orgId: forUser.orgId, integrationId: integration.id, userId: forUser.userId };
    await this.credentials.ensurePending(owner, serverUrl);
    await this.#record(consent, 'consent_begun', { issuer: server.issuer, scopes: [...(scopes ?? [])] });
    return url;
  }

  /** The way back. Everything is checked before the state is used up and the code is redeemed. Throws `ConsentProblem`. */
  async complete(user: SessionUser, params: URLSearchParams): Promise<Consent> {
    const consent = await this.#find(user, params);
    const integration = await this.#stillAllowed(user, consent);
    const { server, client } = await this.#reach(integration, consent);
    const code = await this.#codeOf(consent, server, params);
    const codeVerifier = await this.rows.take(consent.id);
    if (codeVerifier === null) throw this.#problem('state_used', consent);
    const { fetch } = this.vendors;
    const { redirectUri } = this.clients;
    const { resource } = consent.facts;
    const outcome = await redeemCode({ server, client, fetch, resource, code, codeVerifier, redirectUri });
    if (outcome.status === 'unavailable') throw this.#problem('vendor_unavailable', consent);
    if (outcome.status === 'refused') {
      if (outcome.error !== 'invalid_client')
        throw this.#problem('code_refused', consent, outcome.description);
      throw await this.#clientRefused(integration, server, { client, consent });
    }
    await this.#store(consent, { integration, server, client, tokens: outcome.tokens });
    return consent;
  }

  async #find(user: SessionUser, params: URLSearchParams): Promise<Consent> {
    const states = params.getAll('state');
    const state = states[0] ?? '';
    const id = states.length === 1 ? this.codes.idIn(state) : null;
    const consent = id === null ? null : await this.rows.find(id);
    if (!consent || !this.codes.isStateOf(consent, state)) throw new ConsentProblem('state_invalid');
    if (consent.userId !== user.userId || consent.sessionId !== user.sessionId)
      throw this.#problem('other_user', consent);
    if (consent.isTaken) throw this.#problem('state_used', consent);
    if (consent.isOver) throw this.#problem('state_expired', consent);
    return consent;
  }

  /** What allowed it at the beginning, asked again: an admin may have taken it away meanwhile. */
  async #stillAllowed(user: SessionUser, consent: Consent): Promise<LeasedIntegration> {
    const { serverUrl, isService } = consent.facts;
    const as = isService ? 'service' : 'self';
    const now = await this.connections.find(consent.integrationId, user, as);
    if (now.kind !== 'oauth' || now.serverUrl !== serverUrl || now.forUser.userId !== consent.forUserId)
      throw this.#problem('integration_changed', consent);
    return now.integration;
  }

  async #reach(
    integration: LeasedIntegration,
    consent: Consent,
  ): Promise<{ server: AuthorizationServer; client: KnownClient }> {
    try {
      const server = await this.vendors.serverOf(consent.issuer, integration);
      const client = await this.clients.clientOf(integration, server);
      const { clientId, tokenEndpoint } = consent.facts;
      if (client.clientId !== clientId || server.tokenEndpoint !== tokenEndpoint)
        throw this.#problem('integration_changed', consent);
      return { server, client };
    } catch (thrown) {
      throw problemOf(thrown, consent.integrationId);
    }
  }

  /** An answer of the right server uses the state up, whatever it says; one of another server does not. */
  async #codeOf(consent: Consent, server: AuthorizationServer, params: URLSearchParams): Promise<string> {
    try {
      const { redirectUri } = this.clients;
      return checkAuthorizationResponse({ server, expectedIssuer: consent.issuer, params, redirectUri }).code;
    } catch (thrown) {
      if (!(thrown instanceof ConsentError)) throw thrown;
      if (thrown.reason === 'denied' || thrown.reason === 'vendor_error') await this.rows.take(consent.id);
      throw this.#problem(thrown.reason, consent, thrown.description);
    }
  }

  async #store(
    consent: Consent,
    given: {
      integration: LeasedIntegration;
      server: AuthorizationServer;
      client: KnownClient;
      tokens: Tokens;
    },
  ): Promise<void> {
    const { server, client, tokens } = given;
    const { resource, scopes, neededScopes, serverUrl } = consent.facts;
    const owner = { orgId: consent.orgId, integrationId: consent.integrationId, userId: consent.forUserId };
    const grantedScopes = tokens.scopes ?? scopes ?? [];
    const missing = neededScopes.filter((scope) => !grantedScopes.includes(scope));
    const state = missing.length > 0 ? 'needs_update' : 'active';
    const { accessToken, refreshToken, expiresAt } = tokens;
    await this.#record(consent, 'consent_granted', { issuer: server.issuer, scopes: [...grantedScopes] });
    await this.credentials.put(
      {
        ...owner,
        ...{ kind: 'oauth', issuer: server.issuer, resource, serverUrl, tokenEndpoint: server.tokenEndpoint },
        ...{ clientId: client.clientId, grantedScopes, neededScopes: missing, state },
        expiresAt: expiresAt === null ? null : new Date(expiresAt),
        grantedBy: consent.userId,
      },
      this.cipher.seal(owner, { accessToken, refreshToken, headers: null }),
    );
    await this.news.tell({ ...owner, state });
    await this.news.askForSync(given.integration.orgId, consent.integrationId);
  }

  async #client(
    integration: LeasedIntegration,
    server: AuthorizationServer,
    scopes: readonly string[] | null,
  ): Promise<KnownClient> {
    try {
      const client = await this.clients.clientOf(integration, server, { scopes });
      if (!(await this.#isForgotten(server, client))) return client;
      return await this.clients.clientOf(integration, server, { forgotten: client.clientId, scopes });
    } catch (thrown) {
      throw problemOf(thrown, integration.id);
    }
  }

  /**
   * A vendor that forgot our client says so on its own page and sends nobody back. So one that is not new is tried first,
   * with a code that cannot be: `invalid_grant` is from a vendor that knows the client.
   */
  async #isForgotten(server: AuthorizationServer, client: KnownClient): Promise<boolean> {
    if (client.kind !== 'dynamic' || Date.now() - (client.registeredAt?.getTime() ?? 0) < probedAfterMs)
      return false;
    const { redirectUri } = this.clients;
    const { fetch } = this.vendors;
    const probe = { code: 'no-such-code', codeVerifier: randomUUID() + randomUUID(), resource: null };
    const outcome = await redeemCode({ server, client, fetch, redirectUri, ...probe });
    return outcome.status === 'refused' && outcome.error === 'invalid_client';
  }

  async #clientRefused(
    integration: LeasedIntegration,
    server: AuthorizationServer,
    { client, consent }: { client: KnownClient; consent: Consent },
  ): Promise<ConsentProblem> {
    if (client.kind !== 'dynamic') return this.#problem('client_refused', consent);
    await this.clients
      .clientOf(integration, server, { forgotten: client.clientId, scopes: consent.facts.scopes })
      .catch((thrown: unknown) => Promise.reject(problemOf(thrown, integration.id)));
    return this.#problem('client_forgotten', consent);
  }

  /** Waits for the row: nothing is stored that is not written down. */
  async #record(
    consent: Consent,
    action: 'consent_begun' | 'consent_granted',
    details: Record<string, string | string[]>,
  ): Promise<void> {
    const { orgId, integrationId, userId, forUserId } = consent;
    const actor = { kind: 'user', id: userId } as const;
    await this.audit.record({
      orgId,
      integrationId,
      action,
      result: 'ok',
      actor,
      userId: forUserId,
      details,
    });
  }

  #problem(
    reason: ConsentProblem['reason'],
    consent: Consent,
    vendorWords: string | null = null,
  ): ConsentProblem {
    return new ConsentProblem(reason, { integrationId: consent.integrationId, vendorWords });
  }
}
