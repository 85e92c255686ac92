import { Injectable } from '@nestjs/common';
import { Sql } from '@switchyard/database';
import type { StoredValue } from './data-keys.service.js';
import type { SecretKind } from './secret-rules.js';

export type SecretSet = { readonly orgId: string; readonly integrationId: string; readonly kind: SecretKind };
export type SecretRow = StoredValue & { readonly kind: SecretKind; readonly name: string };

@Injectable()
export class SecretsRepository {
  constructor(private readonly sql: Sql) {}

  /** The set as a whole takes the place of the former one: nobody ever reads half of each. */
  async replace(set: SecretSet, values: readonly Omit<SecretRow, 'kind'>[]): Promise<void> {
    await this.sql.transaction(async (sql) => {
      await sql.query(`SELECT pg_advisory_xact_lock(hashtextextended('vault.secrets:' || $1, 0))`, [
        set.integrationId,
      ]);
      await sql.query(
        `DELETE FROM vault.secrets WHERE organization_id = $1 AND integration_id = $2 AND kind = $3`,
        [set.orgId, set.integrationId, set.kind],
      );
      await sql.query(
        `INSERT INTO vault.secrets (organization_id, integration_id, kind, name, data_key_id, ciphertext)
         SELECT $1::uuid, $2::uuid, $3, name, data_key_id, ciphertext
         FROM unnest($4::text[], $5::uuid[], $6::bytea[]) AS given (name, data_key_id, ciphertext)`,
        [
          ...[set.orgId, set.integrationId, set.kind],
          ...[
            values.map(({ name }) => name),
            values.map(({ dataKeyId }) => dataKeyId),
            values.map(({ ciphertext }) => ciphertext),
          ],
        ],
      );
    });
  }

  async deleteAll(orgId: string, integrationId: string): Promise<void> {
    await this.sql.query(`DELETE FROM vault.secrets WHERE organization_id = $1 AND integration_id = $2`, [
      orgId,
      integrationId,
    ]);
  }

  /**
   * Forgets what nobody can use any more: of integrations, agents and webhooks that are gone. The registry stores the values of
   * a new one before its row, so that what was stored a moment ago is left alone.
   */
  async deleteOrphaned(): Promise<number> {
    const rows = await this.sql.query(
      `DELETE FROM vault.secrets s WHERE s.stored_at < now() - interval '1 hour' AND CASE s.kind
           WHEN 'model_key' THEN NOT EXISTS (SELECT 1 FROM registry.v_agents a WHERE a.id = s.integration_id)
           WHEN 'webhook' THEN NOT EXISTS (SELECT 1 FROM registry.v_webhooks w WHERE w.id = s.integration_id)
           ELSE NOT EXISTS (SELECT 1 FROM registry.v_integrations i WHERE i.id = s.integration_id)
         END RETURNING 1`,
    );
    return rows.length;
  }

  async list(orgId: string, integrationId: string): Promise<SecretRow[]> {
    return this.sql.query(
      `SELECT kind, name, data_key_id AS "dataKeyId", ciphertext FROM vault.secrets
       WHERE organization_id = $1 AND integration_id = $2 ORDER BY kind, name`,
      [orgId, integrationId],
    );
  }
}
