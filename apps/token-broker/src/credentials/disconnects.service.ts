import { Injectable } from '@nestjs/common';
import { type AuthorizationServer, revokeToken } from '@switchyard/mcp-client';
import { Log, Shutdown } from '@switchyard/service-kit';
import { type AuditFacts, AuditLogService } from '../audit/audit-log.service.js';
import { IntegrationsRepository, type LeasedIntegration } from '../integrations/integrations.repository.js';
import { type KnownClient, OAuthClientsService } from '../vendors/oauth-clients.service.js';
import { VendorsService } from '../vendors/vendors.service.js';
import type { CredentialRow, CredentialSecrets } from './credential.js';
import { CredentialCipher } from './credential-cipher.js';
import { CredentialNewsService } from './credential-news.service.js';
import { CredentialsRepository } from './credentials.repository.js';

type Actor = AuditFacts['actor'];
/** Whom to tell and as whom, found out before the rows are gone. */
type Revocation = { server: AuthorizationServer; client: KnownClient };

const revokeWithinMs = 10_000;

/** Ends credentials: forgotten here first, then taken back at the vendor as far as it can be reached. */
@Injectable()
export class DisconnectsService {
  readonly #revoking = new Set<Promise<void>>();

  constructor(
    private readonly rows: CredentialsRepository,
    private readonly cipher: CredentialCipher,
    private readonly integrations: IntegrationsRepository,
    private readonly vendors: VendorsService,
    private readonly clients: OAuthClientsService,
    private readonly news: CredentialNewsService,
    private readonly audit: AuditLogService,
    private readonly log: Log,
    shutdown: Shutdown,
  ) {
    shutdown.onClose(() => this.#settled());
  }

  /** Whether the vendor took the tokens back; null: there was nothing to take back there. */
  async disconnect(row: CredentialRow, actor: Actor): Promise<boolean | null> {
    const { credential } = row;
    const integration = await this.integrations.find(credential.integrationId);
    const revocation = integration ? await this.#prepare(integration, row) : null;
    const deleted = await this.rows.delete(credential.id);
    const { orgId, integrationId, userId } = credential;
    await this.news.tell({ orgId, integrationId, userId, state: null });
    const revoked = revocation && deleted ? await this.#revoke(revocation, deleted) : null;
    await this.audit.note({
      ...{ orgId, integrationId, userId, actor, action: 'credential_disconnected', result: 'ok' },
      details: { revoked_at_vendor: revoked ?? false },
    });
    return revoked;
  }

  /** After the integration was deleted: every credential and client of it. Vendors are told without anybody waiting. */
  async ofIntegration(integrationId: string): Promise<void> {
    const rows = await this.rows.ofIntegration(integrationId);
    const integration = await this.integrations.find(integrationId);
    for (const row of rows) {
      const { credential } = row;
      const revocation = await this.#prepare(integration ?? goneIntegration(row), row);
      const deleted = await this.rows.delete(credential.id);
      const { orgId, userId } = credential;
      await this.news.tell({ orgId, integrationId, userId, state: null });
      if (revocation && deleted) this.#later(this.#revoke(revocation, deleted));
      await this.audit.note({
        ...{ orgId, integrationId, userId, action: 'credential_disconnected', result: 'ok' },
        ...{ actor: { kind: 'service', id: 'registry' }, details: { reason: 'integration_deleted' } },
      });
    }
    await this.clients.deleteAll(integrationId);
  }

  /** Never throws: a vendor that cannot be asked does not keep anybody from leaving. */
  async #prepare(integration: LeasedIntegration, { credential }: CredentialRow): Promise<Revocation | null> {
    if (credential.kind !== 'oauth' || credential.issuer === null) return null;
    try {
      const server = await this.vendors.serverOf(credential.issuer, integration);
      const client = await this.clients.clientOf(integration, server);
      return client.clientId === credential.clientId ? { server, client } : null;
    } catch (err) {
      this.log.warn({ err, credentialId: credential.id }, 'the vendor cannot be told of a disconnection');
      return null;
    }
  }

  async #revoke({ server, client }: Revocation, { credential, sealed }: CredentialRow): Promise<boolean> {
    const secrets = await this.#opened(credential, sealed);
    // Somebody has connected again meanwhile, elsewhere or as another client: these tokens are not that vendor's.
    if (!secrets || credential.issuer !== server.issuer || credential.clientId !== client.clientId)
      return false;
    const { fetch } = this.vendors;
    const revoke = (token: string | null, tokenType: 'access_token' | 'refresh_token') =>
      token === null ? null : revokeToken({ server, client, fetch, token, tokenType });
    const outcomes = [
      await revoke(secrets.refreshToken, 'refresh_token'),
      await revoke(secrets.accessToken, 'access_token'),
    ];
    return outcomes.some((outcome) => outcome?.status === 'ok');
  }

  /** Null: they cannot be read, which keeps nobody from leaving either. */
  async #opened(
    credential: CredentialRow['credential'],
    sealed: CredentialRow['sealed'],
  ): Promise<CredentialSecrets | null> {
    return this.cipher.open(credential, sealed).catch((err: unknown) => {
      this.log.warn({ err, credentialId: credential.id }, 'tokens cannot be taken back');
      return null;
    });
  }

  #later(revoking: Promise<unknown>): void {
    const settled = revoking.then(
      () => undefined,
      (err: unknown) => this.log.warn({ err }, 'a token could not be taken back'),
    );
    this.#revoking.add(settled);
    void settled.finally(() => this.#revoking.delete(settled));
  }

  async #settled(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((done) => (timer = setTimeout(done, revokeWithinMs)));
    await Promise.race([Promise.all(this.#revoking), late]).finally(() => clearTimeout(timer));
  }
}

/** Enough of an integration that is gone to reach the client that was registered for it. */
function goneIntegration({ credential }: CredentialRow): LeasedIntegration {
  return {
    ...{ id: credential.integrationId, orgId: credential.orgId, slug: '', name: '', scope: 'organization' },
    ...{
      ownerUserId: null,
      authMode: 'authorization_code',
      headerNames: [],
      envNames: [],
      userHeaderNames: [],
    },
    transport: { type: 'http', url: credential.serverUrl ?? '' },
    ...{ oauth: null, serviceUserId: null, serviceUserActive: false, enabled: false, version: 0 },
  };
}
