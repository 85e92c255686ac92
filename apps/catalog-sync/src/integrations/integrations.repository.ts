import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { AuthMode, Transport } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import { canonicalJson } from '@switchyard/queue';

/** What a sync needs to know of an integration, as the registry has it now. */
export type SyncedIntegration = {
  readonly id: string;
  readonly orgId: string;
  readonly slug: string;
  readonly transport: Transport;
  readonly authMode: AuthMode;
  /** Each user calls as somebody else, and discovery as somebody else again. */
  readonly isPerUser: boolean;
  /** 0 = no sync by interval. */
  readonly syncIntervalMs: number;
  readonly autoReconnect: boolean;
  readonly enabled: boolean;
  /** Only what an admin approved of its tools is served. */
  readonly pinned: boolean;
  /** Grows with each edit. */
  readonly version: number;
  /** A digest of where the integration leads: another target is another server, with a list of its own. */
  readonly target: string;
};

const columns = `id, organization_id AS "orgId", slug, transport, auth_mode AS "authMode",
  auth_mode IN ('authorization_code', 'token_exchange') OR cardinality(user_header_names) > 0 AS "isPerUser",
  sync_interval_seconds * 1000 AS "syncIntervalMs", auto_reconnect AS "autoReconnect", enabled, version, pinned`;

@Injectable()
export class IntegrationsRepository {
  constructor(private readonly sql: Sql) {}

  async find(id: string): Promise<SyncedIntegration | null> {
    return (await this.list([id]))[0] ?? null;
  }

  async list(ids: readonly string[]): Promise<SyncedIntegration[]> {
    if (ids.length === 0) return [];
    const rows = await this.sql.query<Omit<SyncedIntegration, 'target'>>(
      `SELECT ${columns} FROM registry.v_integrations WHERE kind IN ('external_mcp', 'local') AND id = ANY($1)`,
      [ids],
    );
    return rows.map((row) => ({ ...row, target: targetOf(row) }));
  }

  /** Grows with each write to the registry. */
  async registryVersion(): Promise<number> {
    const [row] = await this.sql.query<{ version: number }>(`SELECT version FROM registry.v_version`);
    return row?.version ?? 0;
  }

  /** The integration's version as it is within the transaction; null when it is gone or disabled. */
  async enabledVersion(sql: Sql, id: string): Promise<number | null> {
    const [row] = await sql.query<{ version: number }>(
      `SELECT version FROM registry.v_integrations WHERE id = $1 AND enabled`,
      [id],
    );
    return row?.version ?? null;
  }
}

function targetOf({ transport, authMode }: Pick<SyncedIntegration, 'transport' | 'authMode'>): string {
  return createHash('sha256').update(canonicalJson({ transport, authMode })).digest('hex');
}
