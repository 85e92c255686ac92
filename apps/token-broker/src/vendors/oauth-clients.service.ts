import { Inject, Injectable } from '@nestjs/common';
import { PlatformError } from '@switchyard/contracts';
import {
  type AuthorizationServer,
  chooseRegistration,
  configuredClient,
  metadataDocumentClient,
  type OAuthClient,
  registerClient,
  type RegisteredClient,
} from '@switchyard/mcp-client';
import { AuditLogService } from '../audit/audit-log.service.js';
import { TOKEN_BROKER_CONFIG, type TokenBrokerConfig } from '../config.js';
import { type LeasedIntegration, serverUrlOf } from '../integrations/integrations.repository.js';
import { DataKeysService } from '../vault/data-keys.service.js';
import { SecretsService } from '../vault/secrets.service.js';
import { type OAuthClientRow, OAuthClientsRepository } from './oauth-clients.repository.js';
import { isSameIssuer } from './same-issuer.js';
import { VendorsService } from './vendors.service.js';

/** Who we are to a vendor, and how it came about. */
export type KnownClient = OAuthClient & {
  readonly kind: 'configured' | 'metadata_document' | 'dynamic';
  readonly registeredAt: Date | null;
};

const soonMs = 60_000;

/** Our clients at vendors, in the order of the MCP specification: configured by an admin, metadata document, dynamic. */
@Injectable()
export class OAuthClientsService {
  readonly #registering = new Map<string, Promise<KnownClient>>();
  readonly redirectUri: string;
  /** Only a document that vendors can fetch is one. */
  readonly metadataDocumentUrl: string | null;

  constructor(
    private readonly rows: OAuthClientsRepository,
    private readonly secrets: SecretsService,
    private readonly keys: DataKeysService,
    private readonly vendors: VendorsService,
    private readonly audit: AuditLogService,
    @Inject(TOKEN_BROKER_CONFIG) private readonly config: Pick<TokenBrokerConfig, 'publicUrl'>,
  ) {
    this.redirectUri = `${config.publicUrl}/oauth/callback`;
    this.metadataDocumentUrl = config.publicUrl.startsWith('https:')
      ? `${config.publicUrl}/oauth/client-metadata.json`
      : null;
  }

  /** The client of the integration at this server, registered if need be. `forgotten`: the one that the vendor forgot. */
  async clientOf(
    integration: LeasedIntegration,
    server: AuthorizationServer,
    options: { forgotten?: string; scopes?: readonly string[] | null } = {},
  ): Promise<KnownClient> {
    const settings = integration.oauth ?? {};
    switch (chooseRegistration(server, settings, this.metadataDocumentUrl)) {
      case 'configured': {
        const secret = await this.secrets.clientSecret(integration.orgId, integration.id);
        // Only these ever send an issuer what is worth something elsewhere: the secret, or users' own tokens.
        if (secret !== null || integration.authMode === 'token_exchange')
          await this.#insistOnIssuer(integration, server);
        return { ...configuredClient(server, settings, secret), kind: 'configured', registeredAt: null };
      }
      case 'metadata_document':
        return {
          ...metadataDocumentClient(this.metadataDocumentUrl ?? ''),
          kind: 'metadata_document',
          registeredAt: null,
        };
      case 'dynamic':
        return this.#dynamic(integration, server, options);
      case null:
        throw new PlatformError('auth_context_unavailable', {
          message:
            'The vendor registers no clients by itself; an admin has to register one and set oauth.client_id.',
        });
    }
  }

  async deleteAll(integrationId: string): Promise<void> {
    await this.rows.deleteAll(integrationId);
  }

  /** The one that the admin named, else the first that was seen: an MCP server cannot send us to another by itself. */
  async #insistOnIssuer(integration: LeasedIntegration, { issuer }: AuthorizationServer): Promise<void> {
    const { id: integrationId, orgId, oauth } = integration;
    const use = { integrationId, orgId, issuer, clientId: oauth?.client_id ?? '' };
    const bound =
      oauth?.authorization_server ??
      (await this.rows.firstIssuer({ ...use, serverUrl: serverUrlOf(integration) ?? '' }));
    if (bound !== null && isSameIssuer(bound, issuer)) return;
    const error = anotherIssuer();
    await this.audit.note({
      ...{ orgId, integrationId, action: 'discovery_refused', result: 'refused', code: error.code },
      ...{ actor: { kind: 'service', id: 'token-broker' }, details: { reason: 'issuer_changed', issuer } },
    });
    throw error;
  }

  async #dynamic(
    integration: LeasedIntegration,
    server: AuthorizationServer,
    { forgotten, scopes }: { forgotten?: string; scopes?: readonly string[] | null },
  ): Promise<KnownClient> {
    const row = await this.rows.find(integration.id, server.issuer);
    if (row && row.clientId !== forgotten && this.#isUsable(row)) return this.#open(row);
    const name = JSON.stringify([integration.id, server.issuer]);
    const registering =
      this.#registering.get(name) ?? this.#register(integration, server, { row, scopes: scopes ?? null });
    this.#registering.set(name, registering);
    return registering.finally(() => this.#registering.delete(name));
  }

  async #register(
    integration: LeasedIntegration,
    server: AuthorizationServer,
    { row, scopes }: { row: OAuthClientRow | null; scopes: readonly string[] | null },
  ): Promise<KnownClient> {
    const { id: integrationId, orgId } = integration;
    const client = await this.#ask(server, scopes);
    const identity = { integrationId, issuer: server.issuer, orgId, clientId: client.clientId };
    const stored = await this.rows.put(this.#sealed(identity, client), row?.clientId ?? null);
    await this.audit.note({
      orgId,
      action: 'client_registered',
      result: 'ok',
      actor: { kind: 'service', id: 'token-broker' },
      integrationId,
      details: { issuer: server.issuer, again: row !== null },
    });
    return this.#open(stored);
  }

  /** Some servers register no scopes of resources: they are asked for all the same, when the user consents. */
  async #ask(server: AuthorizationServer, scopes: readonly string[] | null): Promise<RegisteredClient> {
    const metadata = {
      server,
      fetch: this.vendors.fetch,
      redirectUri: this.redirectUri,
      clientName: 'Switchyard',
      clientUri: this.metadataDocumentUrl ? this.config.publicUrl : null,
    };
    const scope = scopes && scopes.length > 0 ? scopes.join(' ') : null;
    try {
      return await registerClient({ ...metadata, scope });
    } catch (thrown) {
      const isRefused = thrown instanceof PlatformError && thrown.details?.reason === 'registration_refused';
      if (scope === null || !isRefused) throw thrown;
      return registerClient({ ...metadata, scope: null });
    }
  }

  #sealed(
    identity: Pick<OAuthClientRow, 'integrationId' | 'issuer' | 'orgId' | 'clientId'>,
    { authMethod, clientSecret, secretExpiresAt }: RegisteredClient,
  ): OAuthClientRow {
    const sealed = clientSecret === null ? null : this.keys.encrypt(clientSecret, binding(identity));
    return {
      ...{
        ...identity,
        authMethod,
        dataKeyId: sealed?.dataKeyId ?? null,
        secret: sealed?.ciphertext ?? null,
      },
      ...{ redirectUri: this.redirectUri, registeredAt: new Date() },
      secretExpiresAt: secretExpiresAt === null ? null : new Date(secretExpiresAt),
    };
  }

  #isUsable({ redirectUri, secretExpiresAt }: OAuthClientRow): boolean {
    const isExpiring = secretExpiresAt !== null && secretExpiresAt.getTime() < Date.now() + soonMs;
    return redirectUri === this.redirectUri && !isExpiring;
  }

  async #open(row: OAuthClientRow): Promise<KnownClient> {
    const { clientId, authMethod, registeredAt, dataKeyId, secret } = row;
    const clientSecret =
      secret && dataKeyId ? await this.keys.decrypt({ dataKeyId, ciphertext: secret }, binding(row)) : null;
    return { clientId, clientSecret, authMethod, kind: 'dynamic', registeredAt };
  }
}

function anotherIssuer(): PlatformError {
  return new PlatformError('upstream_protocol_error', {
    message:
      'The server names another authorization server than before; an admin has to set oauth.authorization_server or register it anew.',
    details: { reason: 'issuer_changed' },
  });
}

function binding({
  integrationId,
  issuer,
  clientId,
}: Pick<OAuthClientRow, 'integrationId' | 'issuer' | 'clientId'>): string[] {
  return ['vault.oauth_clients', integrationId, issuer, clientId];
}
