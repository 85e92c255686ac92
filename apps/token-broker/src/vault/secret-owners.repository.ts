import { Injectable } from '@nestjs/common';
import { Sql } from '@switchyard/database';

/** Whose the things are for which the vault holds secrets: integrations, agents, webhooks. */
@Injectable()
export class SecretOwnersRepository {
  constructor(private readonly sql: Sql) {}

  /** The organization of whatever has that id; null if there is nothing of it. */
  async orgOf(id: string): Promise<string | null> {
    const [row] = await this.sql.query<{ orgId: string }>(
      `SELECT organization_id AS "orgId" FROM registry.v_integrations WHERE id = $1
       UNION ALL SELECT organization_id FROM registry.v_agents WHERE id = $1
       UNION ALL SELECT organization_id FROM registry.v_webhooks WHERE id = $1`,
      [id],
    );
    return row?.orgId ?? null;
  }

  /** Read for each lease: what an admin removes is refused from the next lease on. */
  async has(kind: 'model_key' | 'webhook', orgId: string, id: string): Promise<boolean> {
    const view = kind === 'model_key' ? 'registry.v_agents' : 'registry.v_webhooks';
    const rows = await this.sql.query(`SELECT 1 FROM ${view} WHERE id = $1 AND organization_id = $2`, [
      id,
      orgId,
    ]);
    return rows.length > 0;
  }
}
