import { Injectable } from '@nestjs/common';
import type { TokenEndpointAuthMethod } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';

/** A client that a vendor registered for us. It belongs to one issuer. */
export type OAuthClientRow = {
  readonly integrationId: string;
  readonly issuer: string;
  readonly orgId: string;
  readonly clientId: string;
  readonly authMethod: TokenEndpointAuthMethod;
  readonly dataKeyId: string | null;
  readonly secret: Buffer | null;
  readonly redirectUri: string;
  readonly registeredAt: Date;
  readonly secretExpiresAt: Date | null;
};

/** An admin's client, as it was first used: with another id or at another address it is another client. */
export type FirstUse = Pick<OAuthClientRow, 'integrationId' | 'orgId' | 'issuer' | 'clientId'> & {
  readonly serverUrl: string;
};

const columns = `integration_id AS "integrationId", issuer, organization_id AS "orgId", client_id AS "clientId",
  token_endpoint_auth_method AS "authMethod", data_key_id AS "dataKeyId", secret_ciphertext AS secret,
  redirect_uri AS "redirectUri", registered_at AS "registeredAt", secret_expires_at AS "secretExpiresAt"`;

@Injectable()
export class OAuthClientsRepository {
  constructor(private readonly sql: Sql) {}

  async find(integrationId: string, issuer: string): Promise<OAuthClientRow | null> {
    const rows = await this.sql.query<OAuthClientRow>(
      `SELECT ${columns} FROM vault.oauth_clients WHERE integration_id = $1 AND kind = 'dynamic' AND issuer = $2`,
      [integrationId, issuer],
    );
    return rows[0] ?? null;
  }

  /**
   * Stores the client unless another replica has stored one meanwhile that is not `replaced`; gives the one that stands.
   */
  async put(row: OAuthClientRow, replaced: string | null): Promise<OAuthClientRow> {
    await this.sql.query(
      `INSERT INTO vault.oauth_clients (integration_id, issuer, organization_id, kind, client_id,
         token_endpoint_auth_method, data_key_id, secret_ciphertext, redirect_uri, secret_expires_at)
       VALUES ($1, $2, $3, 'dynamic', $4, $5, $6, $7, $8, $9)
       ON CONFLICT (integration_id, kind, issuer) DO UPDATE SET client_id = excluded.client_id,
         token_endpoint_auth_method = excluded.token_endpoint_auth_method, data_key_id = excluded.data_key_id,
         secret_ciphertext = excluded.secret_ciphertext, redirect_uri = excluded.redirect_uri,
         secret_expires_at = excluded.secret_expires_at, registered_at = now()
       WHERE vault.oauth_clients.client_id = $10`,
      [
        ...[row.integrationId, row.issuer, row.orgId, row.clientId, row.authMethod, row.dataKeyId],
        ...[row.secret, row.redirectUri, row.secretExpiresAt, replaced],
      ],
    );
    return (await this.find(row.integrationId, row.issuer)) ?? row;
  }

  /** The issuer that the client was used at first: this one, unless there was one before. Null: others changed it. */
  async firstIssuer(use: FirstUse): Promise<string | null> {
    const known = await this.#findFirst(use);
    if (known !== null) return known;
    const { integrationId, issuer, orgId, clientId, serverUrl } = use;
    await this.sql.query(
      `DELETE FROM vault.oauth_clients WHERE integration_id = $1 AND kind = 'configured'
         AND (client_id <> $2 OR server_url IS DISTINCT FROM $3)`,
      [integrationId, clientId, serverUrl],
    );
    await this.sql.query(
      `INSERT INTO vault.oauth_clients (integration_id, issuer, organization_id, kind, client_id,
         token_endpoint_auth_method, redirect_uri, server_url)
       VALUES ($1, $2, $3, 'configured', $4, '', '', $5) ON CONFLICT DO NOTHING`,
      [integrationId, issuer, orgId, clientId, serverUrl],
    );
    return this.#findFirst(use);
  }

  async #findFirst({ integrationId, clientId, serverUrl }: FirstUse): Promise<string | null> {
    const rows = await this.sql.query<{ issuer: string }>(
      `SELECT issuer FROM vault.oauth_clients
       WHERE integration_id = $1 AND kind = 'configured' AND client_id = $2 AND server_url = $3`,
      [integrationId, clientId, serverUrl],
    );
    return rows[0]?.issuer ?? null;
  }

  async deleteAll(integrationId: string): Promise<void> {
    await this.sql.query(`DELETE FROM vault.oauth_clients WHERE integration_id = $1`, [integrationId]);
  }
}
