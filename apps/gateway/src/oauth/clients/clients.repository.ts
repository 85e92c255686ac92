import { Injectable } from '@nestjs/common';
import { Sql } from '@switchyard/database';
import type { AdapterPayload } from 'oidc-provider';
import { digestOf, OAuthCipher } from '../store/oauth-cipher.js';

/** Clients that registered dynamically. */
@Injectable()
export class ClientsRepository {
  constructor(
    private readonly sql: Sql,
    private readonly cipher: OAuthCipher,
  ) {}

  async put(clientId: string, payload: AdapterPayload, network: string | null): Promise<void> {
    await this.sql.query(
      `INSERT INTO gateway.oauth_clients (client_id, ciphertext, address_hash) VALUES ($1, $2, $3)
       ON CONFLICT (client_id) DO UPDATE SET ciphertext = excluded.ciphertext`,
      [
        clientId,
        this.cipher.encrypt(payload, binding(clientId)),
        network === null ? null : digestOf(network),
      ],
    );
  }

  async find(clientId: string): Promise<AdapterPayload | undefined> {
    const rows = await this.sql.query<{ ciphertext: Buffer }>(
      `SELECT ciphertext FROM gateway.oauth_clients WHERE client_id = $1`,
      [clientId],
    );
    return rows[0] && this.cipher.decrypt<AdapterPayload>(rows[0].ciphertext, binding(clientId));
  }

  async delete(clientId: string): Promise<void> {
    await this.sql.query(`DELETE FROM gateway.oauth_clients WHERE client_id = $1`, [clientId]);
  }

  /** How many the network registered within the last hour, at whatever replica. */
  async countOf(network: string): Promise<number> {
    const rows = await this.sql.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM gateway.oauth_clients
       WHERE address_hash = $1 AND created_at > now() - interval '1 hour'`,
      [digestOf(network)],
    );
    return rows[0]?.n ?? 0;
  }

  /** Those by which nobody may call any longer. */
  async deleteUnused(): Promise<void> {
    await this.sql.query(
      `DELETE FROM gateway.oauth_clients c WHERE created_at < now() - interval '7 days' AND NOT EXISTS (
         SELECT 1 FROM gateway.oauth_grants g WHERE g.client_id = c.client_id AND g.revoked_at IS NULL
           AND g.expires_at > now())`,
    );
  }
}

function binding(clientId: string): string[] {
  return ['oauth client', clientId];
}
