import { Injectable } from '@nestjs/common';
import type { UpstreamDescription } from '@switchyard/contracts';
import type { Sql } from '@switchyard/database';
import { isText } from '../catalog/tool-problem.js';
import type { Standing } from './next-standing.js';

/** A locked row. `now` is the database's clock, by which the whole fleet goes. */
export type StateRow = Standing & {
  readonly orgId: string;
  readonly toolCount: number;
  readonly nextSyncAt: Date | null;
  readonly syncedTarget: string | null;
  readonly generation: number;
  /** Whether the integration was pinned when it was last synced. */
  readonly pinned: boolean;
  readonly instructions: string | null;
  readonly capabilities: Record<string, unknown> | null;
  readonly now: Date;
};

export type StateChange = {
  readonly standing: Standing;
  readonly nextSyncAt: Date | null;
  /** After a list that succeeded. */
  readonly synced?: {
    readonly toolCount: number;
    readonly target: string;
    readonly upstream: UpstreamDescription;
    readonly features?: { readonly problems: readonly string[] };
  };
};

const columns = `organization_id AS "orgId", state, consecutive_failures AS "consecutiveFailures", failed_syncs AS "failedSyncs",
  last_failure AS "lastFailure", tool_count AS "toolCount", next_sync_at AS "nextSyncAt", synced_target AS "syncedTarget",
  generation, pinned, instructions, capabilities, clock_timestamp() AS now`;

/** `catalog.integration_states`, always within a transaction. */
@Injectable()
export class StatesRepository {
  async lock(sql: Sql, integrationId: string): Promise<StateRow | null> {
    const rows = await sql.query<StateRow>(
      `SELECT ${columns} FROM catalog.integration_states WHERE integration_id = $1 FOR UPDATE`,
      [integrationId],
    );
    return rows[0] ?? null;
  }

  async save(sql: Sql, integrationId: string, { standing, nextSyncAt, synced }: StateChange): Promise<void> {
    await sql.query(
      `UPDATE catalog.integration_states
       SET state = $2, consecutive_failures = $3, failed_syncs = $4, last_failure = $5, next_sync_at = $6
       WHERE integration_id = $1`,
      [
        integrationId,
        standing.state,
        standing.consecutiveFailures,
        standing.failedSyncs,
        standing.lastFailure && JSON.stringify(standing.lastFailure),
        nextSyncAt,
      ],
    );
    if (!synced) return;
    const { upstream } = synced;
    await sql.query(
      `UPDATE catalog.integration_states
       SET tool_count = $2, synced_target = $3, last_sync_at = now(), era = $4, protocol_version = $5, server_name = $6,
           server_version = $7, instructions = $8, capabilities = $9, feature_problems = $10
       WHERE integration_id = $1`,
      [
        ...[integrationId, synced.toolCount, synced.target, upstream.era, ...texts(upstream)],
        ...[ownWords(synced).capabilities, synced.features?.problems ?? []],
      ],
    );
  }

  async notePinned(sql: Sql, integrationId: string, pinned: boolean): Promise<void> {
    await sql.query(`UPDATE catalog.integration_states SET pinned = $2 WHERE integration_id = $1`, [
      integrationId,
      pinned,
    ]);
  }

  /**
   * Tells the readers of the views that these integrations changed. Last of all in its transaction: the version row
   * serializes the writers of the catalog, so that versions become visible in the order of their numbers.
   */
  async bump(sql: Sql, integrationIds: readonly string[]): Promise<void> {
    await sql.query(
      `WITH bumped AS (UPDATE catalog.version SET version = version + 1 RETURNING version)
       UPDATE catalog.integration_states SET version = bumped.version FROM bumped WHERE integration_id = ANY($1)`,
      [integrationIds],
    );
  }
}

const capabilitiesBytes = 16_384;

/** What a server says of itself, as it is kept. */
export function ownWords({ upstream }: NonNullable<StateChange['synced']>): {
  instructions: string | null;
  capabilities: Record<string, unknown> | null;
} {
  const { capabilities = null } = upstream;
  const text = JSON.stringify(capabilities);
  const isKept = Buffer.byteLength(text) <= capabilitiesBytes && isText(text);
  return { instructions: texts(upstream)[3] ?? null, capabilities: isKept ? capabilities : null };
}

/** What a server says of itself may be no text at all, and PostgreSQL takes no NUL. */
function texts({
  protocolVersion,
  serverName,
  serverVersion,
  instructions,
}: UpstreamDescription): (string | null)[] {
  return [protocolVersion, serverName, serverVersion, instructions].map(
    (text) => text && text.replaceAll('\0', '').toWellFormed().slice(0, 20_000),
  );
}
