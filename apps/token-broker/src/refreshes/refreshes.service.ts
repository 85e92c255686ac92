import { Injectable } from '@nestjs/common';
import { PlatformError, toPlatformError } from '@switchyard/contracts';
import { chooseScopes, type TokenOutcome } from '@switchyard/mcp-client';
import { Log } from '@switchyard/service-kit';
import type { Credential, CredentialRow, CredentialSecrets } from '../credentials/credential.js';
import { CredentialCipher } from '../credentials/credential-cipher.js';
import { type LeasedIntegration, serverUrlOf } from '../integrations/integrations.repository.js';
import { OAuthClientsService } from '../vendors/oauth-clients.service.js';
import { isSameIssuer } from '../vendors/same-issuer.js';
import { VendorsService } from '../vendors/vendors.service.js';
import { type LockedCredential, LockedCredentialsRepository } from './locked-credentials.repository.js';
import { RefreshReportsService } from './refresh-reports.service.js';
import { Slots } from './slots.js';
import { coolDownMs } from './token-life.js';
import { requestFreshTokens, type TokenSource } from './token-source.js';

/**
 * How a refresh ended. `dead`: the vendor took the credential back. `refused`: the vendor does not take our client, which
 * is an admin's business. `unavailable`: nobody knows, the credential stays as it is.
 */
export type RefreshOutcome =
  | { readonly status: 'fresh' | 'meanwhile'; readonly row: CredentialRow }
  | { readonly status: 'dead'; readonly reason: string }
  | { readonly status: 'refused'; readonly reason: string; readonly error?: PlatformError }
  | { readonly status: 'unavailable'; readonly reason: string; readonly retryAfterMs: number | null }
  | { readonly status: 'gone' };

const longestWaitMs = 14_000;
const atOncePerIntegration = 4;

/**
 * One refresh per credential in the whole fleet: this process collapses its own, the row's lock stops the others, and who
 * gets the lock later finds another version and takes that.
 */
@Injectable()
export class RefreshesService {
  readonly #running = new Map<string, Promise<RefreshOutcome>>();
  readonly #slots = new Slots(atOncePerIntegration);

  constructor(
    private readonly rows: LockedCredentialsRepository,
    private readonly cipher: CredentialCipher,
    private readonly vendors: VendorsService,
    private readonly clients: OAuthClientsService,
    private readonly reports: RefreshReportsService,
    private readonly log: Log,
  ) {}

  /** Refreshes the version that was seen, unless somebody else has. Never throws; takes about as long as a vendor may. */
  async refresh(
    integration: LeasedIntegration,
    seen: Credential,
    options: { skipIfLocked?: boolean } = {},
  ): Promise<RefreshOutcome> {
    const name = `${seen.id}.${seen.version}`;
    const running = this.#running.get(name) ?? this.#start(name, integration, { seen, ...options });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<RefreshOutcome>((resolve) => {
      timer = setTimeout(() => resolve(busy), longestWaitMs);
    });
    return Promise.race([running, late]).finally(() => clearTimeout(timer));
  }

  #start(
    name: string,
    integration: LeasedIntegration,
    options: { seen: Credential; skipIfLocked?: boolean },
  ): Promise<RefreshOutcome> {
    const running = this.#slots
      .run(integration.id, () => this.#attempt(integration, options))
      .catch((err: unknown) => this.#unexpected(err))
      .finally(() => this.#running.delete(name));
    this.#running.set(name, running);
    return running;
  }

  async #attempt(
    integration: LeasedIntegration,
    { seen, skipIfLocked }: { seen: Credential; skipIfLocked?: boolean },
  ): Promise<RefreshOutcome> {
    const cooling = coolingDown(seen);
    if (cooling) return cooling;
    // For one that has moved nobody is asked anything: its vendor may be refused as the integration is now.
    const source = movedReason(integration, seen) ? null : await this.#gather(integration, seen);
    const outcome = await this.rows.withLock(
      seen.id,
      async (locked) => {
        if (locked.row.credential.version !== seen.version) return laterVersion(locked.row);
        const now = coolingDown(locked.row.credential);
        if (now) return now;
        return this.#judge(locked, source, integration);
      },
      { skip: skipIfLocked },
    );
    const ended = outcome ?? { status: 'gone' as const };
    await this.reports.report(integration, seen, ended);
    if (source && ended.status === 'dead' && ended.reason === 'client_forgotten')
      await this.#registerAgain(integration, source);
    return ended;
  }

  async #judge(
    locked: LockedCredential,
    source: TokenSource | null,
    integration: LeasedIntegration,
  ): Promise<RefreshOutcome> {
    const { credential } = locked.row;
    const moved =
      movedReason(integration, credential) ?? (source && changedReason(integration, credential, source));
    if (moved) return this.#die(locked, moved);
    return source ? this.#request(locked, source, integration) : busy;
  }

  /** All that can be asked beforehand is: while the row is locked, there is one request. */
  async #gather(integration: LeasedIntegration, credential: Credential): Promise<TokenSource> {
    const { resource } = credential;
    const issuer = boundIssuerOf(integration, credential);
    const settings = integration.oauth ?? {};
    const { fetch } = this.vendors;
    if (issuer !== null) {
      const server = await this.vendors.serverOf(issuer, integration);
      const client = await this.clients.clientOf(integration, server);
      return { server, client, resource, settings, fetch, scopes: settings.scopes ?? null };
    }
    const vendor = await this.vendors.discover(integration, null);
    if ('open' in vendor)
      throw new PlatformError('auth_context_unavailable', {
        message: 'The server names no authorization server.',
      });
    const client = await this.clients.clientOf(integration, vendor.server);
    const scopes = chooseScopes(vendor, settings)?.filter((scope) => scope !== 'offline_access') ?? null;
    return { server: vendor.server, client, resource: vendor.resource, settings, fetch, scopes };
  }

  async #request(
    locked: LockedCredential,
    source: TokenSource,
    integration: LeasedIntegration,
  ): Promise<RefreshOutcome> {
    const secrets = await this.cipher.open(locked.row.credential, locked.row.sealed);
    const outcome = await requestFreshTokens(source, locked.row, secrets.refreshToken);
    if (outcome.status === 'ok')
      return { status: 'fresh', row: await this.#store(locked, { source, integration, secrets }, outcome) };
    if (outcome.status === 'unavailable') return this.#postpone(locked, outcome.reason, outcome.retryAfterMs);
    return this.#refused(locked, outcome, source);
  }

  /** The new refresh token is stored before anybody sees the new access token. */
  async #store(
    locked: LockedCredential,
    {
      source,
      integration,
      secrets,
    }: { source: TokenSource; integration: LeasedIntegration; secrets: CredentialSecrets },
    { tokens }: Extract<TokenOutcome, { status: 'ok' }>,
  ): Promise<CredentialRow> {
    const { credential } = locked.row;
    const grantedScopes =
      tokens.scopes ?? (credential.userId === null ? (source.scopes ?? []) : credential.grantedScopes);
    const missing = credential.neededScopes.filter((scope) => !grantedScopes.includes(scope));
    return locked.refreshed({
      sealed: this.cipher.seal(credential, {
        accessToken: tokens.accessToken,
        refreshToken: credential.userId === null ? null : (tokens.refreshToken ?? secrets.refreshToken),
        headers: null,
      }),
      expiresAt: tokens.expiresAt === null ? null : new Date(tokens.expiresAt),
      grantedScopes,
      state: missing.length > 0 ? 'needs_update' : 'active',
      issuer: source.server.issuer,
      resource: source.resource,
      clientId: source.client.clientId,
      // Where a user's tokens may go is what that user consented to: no refresh changes it.
      serverUrl: credential.userId === null ? serverUrlOf(integration) : credential.serverUrl,
    });
  }

  async #refused(
    locked: LockedCredential,
    { error, description }: Extract<TokenOutcome, { status: 'refused' }>,
    { client }: TokenSource,
  ): Promise<RefreshOutcome> {
    const isUsers = locked.row.credential.userId !== null;
    this.log.warn({ credentialId: locked.row.credential.id, error, description }, 'refresh refused');
    if (error === 'invalid_grant' && isUsers) return this.#die(locked, 'revoked_by_vendor');
    if (error === 'invalid_client' && client.kind === 'dynamic') return this.#die(locked, 'client_forgotten');
    await locked.failed(`client_refused: ${error}`, coolDownMs(locked.row.credential.failures + 1, null));
    return { status: 'refused', reason: error };
  }

  async #die(locked: LockedCredential, reason: string): Promise<RefreshOutcome> {
    await locked.died(reason);
    return { status: 'dead', reason };
  }

  async #postpone(
    locked: LockedCredential,
    reason: string,
    retryAfterMs: number | null,
  ): Promise<RefreshOutcome> {
    const pauseMs = coolDownMs(locked.row.credential.failures + 1, retryAfterMs);
    await locked.failed(`vendor_unavailable: ${reason}`, pauseMs);
    return { status: 'unavailable', reason, retryAfterMs: pauseMs };
  }

  /** In place: who connects next finds a client that the vendor knows. */
  async #registerAgain(integration: LeasedIntegration, { server, client }: TokenSource): Promise<void> {
    await this.clients
      .clientOf(integration, server, { forgotten: client.clientId })
      .catch((err: unknown) =>
        this.log.warn({ err, integrationId: integration.id }, 'the client could not be registered again'),
      );
  }

  #unexpected(err: unknown): RefreshOutcome {
    const error = toPlatformError(err);
    const { code, details, retryAfterMs } = error;
    this.log.warn({ err }, 'a refresh failed');
    if (verdicts.has(code)) return { status: 'refused', reason: code, error };
    const reason = typeof details?.reason === 'string' ? details.reason : code;
    return { status: 'unavailable', reason, retryAfterMs: retryAfterMs ?? null };
  }
}

/** Nothing that waiting would heal. */
const verdicts = new Set<string>([
  'auth_context_unavailable',
  'auth_mode_unavailable',
  'egress_denied',
  'upstream_protocol_error',
  'result_too_large',
]);

const busy: RefreshOutcome = { status: 'unavailable', reason: 'busy', retryAfterMs: 1_000 };

/** Somebody else was faster: with tokens, or by finding out that there are none. */
function laterVersion(row: CredentialRow): RefreshOutcome {
  const { state, stateReason } = row.credential;
  if (state === 'needs_reauth') return { status: 'dead', reason: stateReason ?? 'revoked_by_vendor' };
  return { status: 'meanwhile', row };
}

function coolingDown({ coolDownUntil, stateReason }: Credential): RefreshOutcome | null {
  const leftMs = (coolDownUntil?.getTime() ?? 0) - Date.now();
  if (leftMs <= 0) return null;
  if (stateReason?.startsWith('client_refused')) return { status: 'refused', reason: 'cool_down' };
  return { status: 'unavailable', reason: 'cool_down', retryAfterMs: leftMs };
}

/** The integration's own token moves with it: it is asked for anew wherever the server is by now. */
function boundIssuerOf(
  integration: LeasedIntegration,
  { userId, issuer, serverUrl }: Credential,
): string | null {
  return userId === null && serverUrl !== serverUrlOf(integration) ? null : issuer;
}

/** Why no refresh token may be sent anywhere any more: an admin has changed to whom it would be of use. */
function movedReason(integration: LeasedIntegration, credential: Credential): string | null {
  const { userId, issuer, serverUrl } = credential;
  if (userId === null) return null;
  if (serverUrl !== serverUrlOf(integration)) return 'integration_moved';
  const named = integration.oauth?.authorization_server;
  return named && issuer !== null && !isSameIssuer(named, issuer) ? 'issuer_changed' : null;
}

/** The same, of where it would go or as whom. */
function changedReason(
  { oauth }: LeasedIntegration,
  credential: Credential,
  { server, client }: TokenSource,
): string | null {
  if (credential.userId === null) return null;
  if (oauth?.token_endpoint && credential.tokenEndpoint !== server.tokenEndpoint)
    return 'token_endpoint_changed';
  return client.clientId === credential.clientId ? null : 'client_changed';
}
