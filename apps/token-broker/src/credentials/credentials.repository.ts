import { Injectable } from '@nestjs/common';
import type { CredentialState } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import { v7 as uuid } from 'uuid';
import type { Credential, CredentialOwner, CredentialRow, SealedSecrets } from './credential.js';

const table = 'vault.user_external_mcp_credentials';
const columns = `c.id, c.organization_id AS "orgId", c.integration_id AS "integrationId", c.user_id AS "userId", c.kind,
  c.issuer, c.resource, c.server_url AS "serverUrl", c.token_endpoint AS "tokenEndpoint", c.client_id AS "clientId", c.granted_scopes AS "grantedScopes",
  c.needed_scopes AS "neededScopes", c.refresh_token_ciphertext IS NOT NULL AS "hasRefreshToken",
  c.expires_at AS "expiresAt", c.state, c.state_reason AS "stateReason", c.state_before AS "stateBefore",
  c.state_since AS "stateSince", c.version, c.failures, c.cool_down_until AS "coolDownUntil",
  c.consent_granted_at AS "consentGrantedAt", c.consent_granted_by AS "consentGrantedBy", c.last_used_at AS "lastUsedAt",
  c.last_refreshed_at AS "lastRefreshedAt", c.created_at AS "createdAt"`;
const secrets = `c.data_key_id AS "sealedDataKeyId", c.access_token_ciphertext AS "sealedAccessToken",
  c.refresh_token_ciphertext AS "sealedRefreshToken", c.headers_ciphertext AS "sealedHeaders"`;

type Row = Credential & {
  sealedDataKeyId: string | null;
  sealedAccessToken: Buffer | null;
  sealedRefreshToken: Buffer | null;
  sealedHeaders: Buffer | null;
};

/** What a consent, or headers that a user brought, leave behind. */
export type NewCredential = CredentialOwner & {
  readonly kind: 'oauth' | 'headers';
  readonly issuer: string | null;
  readonly resource: string | null;
  readonly serverUrl: string;
  readonly tokenEndpoint: string | null;
  readonly clientId: string | null;
  readonly grantedScopes: readonly string[];
  readonly neededScopes: readonly string[];
  readonly state: CredentialState;
  readonly expiresAt: Date | null;
  readonly grantedBy: string | null;
};

@Injectable()
export class CredentialsRepository {
  constructor(private readonly sql: Sql) {}

  /** For a lease. Integrations of every organization that a user reaches have one row for that user. */
  async find(integrationId: string, userId: string | null): Promise<CredentialRow | null> {
    const rows = await this.sql.prepared<Row>(
      `SELECT ${columns}, ${secrets} FROM ${table} c
       WHERE c.integration_id = $1::uuid AND c.user_id IS NOT DISTINCT FROM $2::uuid`,
      [integrationId, userId],
    );
    return rows[0] ? toRow(rows[0]) : null;
  }

  /** For discovery where no service user is set: the first live consent of a user who is still there. */
  async firstLive(orgId: string, integrationId: string): Promise<CredentialRow | null> {
    const rows = await this.sql.query<Row>(
      `SELECT ${columns}, ${secrets} FROM ${table} c JOIN registry.v_users u ON u.id = c.user_id AND u.active
       WHERE c.integration_id = $2 AND c.organization_id = $1 AND u.organization_id = $1
         AND c.state IN ('active', 'needs_update')
       ORDER BY c.consent_granted_at, c.id LIMIT 1`,
      [orgId, integrationId],
    );
    return rows[0] ? toRow(rows[0]) : null;
  }

  /** The row of the integration's own token, which nobody consents to. */
  async ensureOwn(owner: CredentialOwner, serverUrl: string): Promise<void> {
    await this.sql.query(
      `INSERT INTO ${table} (id, organization_id, integration_id, user_id, kind, server_url, state)
       VALUES ($1, $2, $3, NULL, 'oauth', $4, 'pending') ON CONFLICT (integration_id, user_id) DO NOTHING`,
      [uuid(), owner.orgId, owner.integrationId, serverUrl],
    );
  }

  /** A consent was begun; a credential that is there stays as it is until the consent is granted. */
  async ensurePending(owner: CredentialOwner, serverUrl: string): Promise<void> {
    await this.sql.query(
      `INSERT INTO ${table} (id, organization_id, integration_id, user_id, kind, server_url, state)
       VALUES ($1, $2, $3, $4, 'oauth', $5, 'pending') ON CONFLICT (integration_id, user_id) DO NOTHING`,
      [uuid(), owner.orgId, owner.integrationId, owner.userId, serverUrl],
    );
  }

  /** Consents that nobody finished in time. */
  async deletePending(): Promise<void> {
    await this.sql.query(
      `DELETE FROM ${table} c WHERE c.state = 'pending' AND c.user_id IS NOT NULL AND NOT EXISTS (
         SELECT 1 FROM vault.consents o WHERE o.integration_id = c.integration_id AND o.for_user_id = c.user_id
         AND o.taken_at IS NULL AND o.expires_at > now()) AND c.created_at < now() - interval '10 minutes'`,
    );
  }

  /** Replaces what was there: the new consent's tokens, in one statement. */
  async put(given: NewCredential, sealed: SealedSecrets): Promise<Credential> {
    const rows = await this.sql.query<Credential>(
      `INSERT INTO ${table} AS c (id, organization_id, integration_id, user_id, kind, issuer, resource, server_url, client_id,
         granted_scopes, needed_scopes, state, expires_at, consent_granted_by, consent_granted_at, last_refreshed_at,
         data_key_id, access_token_ciphertext, refresh_token_ciphertext, headers_ciphertext, token_endpoint)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, now(), now(), $15, $16, $17, $18, $19)
       ON CONFLICT (integration_id, user_id) DO UPDATE SET kind = excluded.kind, issuer = excluded.issuer,
         organization_id = excluded.organization_id, resource = excluded.resource, server_url = excluded.server_url,
         client_id = excluded.client_id, granted_scopes = excluded.granted_scopes, needed_scopes = excluded.needed_scopes,
         state = excluded.state, state_reason = NULL, state_before = NULL, state_since = now(),
         expires_at = excluded.expires_at, consent_granted_by = excluded.consent_granted_by, consent_granted_at = now(),
         last_refreshed_at = now(), version = c.version + 1, failures = 0, cool_down_until = NULL,
         data_key_id = excluded.data_key_id, access_token_ciphertext = excluded.access_token_ciphertext,
         refresh_token_ciphertext = excluded.refresh_token_ciphertext, headers_ciphertext = excluded.headers_ciphertext,
         token_endpoint = excluded.token_endpoint
       RETURNING ${columns}`,
      [
        ...[uuid(), given.orgId, given.integrationId, given.userId, given.kind, given.issuer, given.resource],
        ...[given.serverUrl, given.clientId, given.grantedScopes, given.neededScopes, given.state],
        ...[given.expiresAt, given.grantedBy],
        ...[sealed.dataKeyId, sealed.accessToken, sealed.refreshToken, sealed.headers],
        given.tokenEndpoint,
      ],
    );
    return rows[0]!;
  }

  /** Unless somebody has put another credential there since. */
  async setState(
    credential: Pick<Credential, 'id' | 'version'>,
    state: CredentialState,
    reason: string,
  ): Promise<boolean> {
    const rows = await this.sql.query(
      `UPDATE ${table} SET state = $3, state_reason = $4, state_before = NULL,
         state_since = CASE WHEN state = $3 THEN state_since ELSE now() END
       WHERE id = $1 AND version = $2 RETURNING id`,
      [credential.id, credential.version, state, reason],
    );
    return rows.length > 0;
  }

  /** Scopes that a tool asked for, for the next consent. */
  async addNeededScopes(id: string, scopes: readonly string[]): Promise<void> {
    await this.sql.query(
      `UPDATE ${table} SET needed_scopes = ARRAY(SELECT DISTINCT unnest(needed_scopes || $2::text[]) ORDER BY 1),
         state = CASE WHEN state = 'active' THEN 'needs_update' ELSE state END, state_reason = 'scope_insufficient',
         state_since = CASE WHEN state = 'active' THEN now() ELSE state_since END
       WHERE id = $1`,
      [id, scopes],
    );
  }

  /** At most once a minute for each credential: a busy one is not written with every lease. */
  async touch(id: string): Promise<void> {
    await this.sql.query(
      `UPDATE ${table} SET last_used_at = now()
       WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')`,
      [id],
    );
  }

  async list(
    filter: { orgId: string; userId: string | null; integrationId?: string; state?: CredentialState },
    page: { after: string | null; limit: number },
  ): Promise<Credential[]> {
    return this.sql.query<Credential>(
      `SELECT ${columns} FROM ${table} c
       WHERE c.organization_id = $1 AND ($2::uuid IS NULL OR c.user_id = $2) AND ($3::uuid IS NULL OR c.id > $3)
         AND ($4::uuid IS NULL OR c.integration_id = $4) AND ($5::text IS NULL OR c.state = $5)
       ORDER BY c.id LIMIT $6`,
      [
        ...[filter.orgId, filter.userId, page.after],
        ...[filter.integrationId ?? null, filter.state ?? null, page.limit],
      ],
    );
  }

  async findById(orgId: string, id: string): Promise<CredentialRow | null> {
    const rows = await this.sql.query<Row>(
      `SELECT ${columns}, ${secrets} FROM ${table} c WHERE c.organization_id = $1 AND c.id = $2`,
      [orgId, id],
    );
    return rows[0] ? toRow(rows[0]) : null;
  }

  /** Of all organizations whose users reach it. */
  async ofIntegration(integrationId: string): Promise<CredentialRow[]> {
    const rows = await this.sql.query<Row>(
      `SELECT ${columns}, ${secrets} FROM ${table} c WHERE c.integration_id = $1`,
      [integrationId],
    );
    return rows.map(toRow);
  }

  /** Gives what was deleted: waits for a refresh that is under way, whose tokens are other ones than were read before. */
  async delete(id: string): Promise<CredentialRow | null> {
    const rows = await this.sql.query<Row>(
      `DELETE FROM ${table} c WHERE c.id = $1 RETURNING ${columns}, ${secrets}`,
      [id],
    );
    return rows[0] ? toRow(rows[0]) : null;
  }
}

export function toRow(row: Row): CredentialRow {
  const { sealedDataKeyId, sealedAccessToken, sealedRefreshToken, sealedHeaders, ...credential } = row;
  const sealed = {
    dataKeyId: sealedDataKeyId,
    accessToken: sealedAccessToken,
    refreshToken: sealedRefreshToken,
    headers: sealedHeaders,
  };
  return { credential, sealed };
}

/** For statements elsewhere that read whole rows as `c`. */
export const credentialColumns = { table, all: `${columns}, ${secrets}` };
export type { Row as StoredCredential };
