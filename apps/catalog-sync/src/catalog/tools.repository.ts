import { Injectable } from '@nestjs/common';
import type { Sql } from '@switchyard/database';
import { v7 as uuidv7 } from 'uuid';
import type { StoredTool, ToolWrite } from './diff-catalog.js';

/** Rows of one statement: enough to make 5,000 tools a handful of round trips, few enough to bound the memory. */
const batchSize = 1_000;

type Owner = { readonly id: string; readonly orgId: string };

/** `catalog.external_mcp_tools`, always within the transaction of a sync. */
@Injectable()
export class ToolsRepository {
  async list(sql: Sql, integrationId: string): Promise<StoredTool[]> {
    return sql.query<StoredTool>(
      `SELECT name, qualified_name AS "qualifiedName", wire_sha256 AS "wireSha256", disabled_reason AS "disabledReason",
              disabled_detail AS "disabledDetail", warnings
       FROM catalog.external_mcp_tools WHERE integration_id = $1`,
      [integrationId],
    );
  }

  /** Inserts new tools and updates those that are there. Ids grow with time: a list sorted by them is stable. */
  async write(sql: Sql, owner: Owner, tools: readonly ToolWrite[]): Promise<void> {
    for (let start = 0; start < tools.length; start += batchSize) {
      await writeBatch(sql, owner, tools.slice(start, start + batchSize));
    }
  }

  async disableVanished(sql: Sql, integrationId: string, names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    await sql.query(
      `UPDATE catalog.external_mcp_tools SET disabled_reason = 'vanished', disabled_detail = NULL
       WHERE integration_id = $1 AND name = ANY($2)`,
      [integrationId, names],
    );
  }

  async markSeen(sql: Sql, integrationId: string, names: readonly string[]): Promise<void> {
    await sql.query(
      `UPDATE catalog.external_mcp_tools SET last_seen_at = now() WHERE integration_id = $1 AND name = ANY($2)`,
      [integrationId, names],
    );
  }
}

async function writeBatch(sql: Sql, owner: Owner, tools: readonly ToolWrite[]): Promise<void> {
  await sql.query(
    `INSERT INTO catalog.external_mcp_tools (integration_id, organization_id, id, name, qualified_name, description,
       input_schema, wire, wire_sha256, disabled_reason, disabled_detail, warnings)
     SELECT $1::uuid, $2::uuid, id, name, qualified_name, description, input_schema, wire, wire_sha256, disabled_reason,
       disabled_detail, ARRAY(SELECT jsonb_array_elements_text(warnings))
     FROM unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::jsonb[], $8::json[], $9::text[], $10::text[],
       $11::text[], $12::jsonb[]) AS given (id, name, qualified_name, description, input_schema, wire, wire_sha256,
       disabled_reason, disabled_detail, warnings)
     ON CONFLICT (integration_id, name) DO UPDATE SET qualified_name = excluded.qualified_name,
       description = excluded.description, input_schema = excluded.input_schema, wire = excluded.wire,
       wire_sha256 = excluded.wire_sha256, disabled_reason = excluded.disabled_reason, disabled_detail = excluded.disabled_detail,
       warnings = excluded.warnings`,
    [
      ...[owner.id, owner.orgId],
      ...[
        tools.map(() => uuidv7()),
        tools.map(({ name }) => name),
        tools.map(({ qualifiedName }) => qualifiedName),
      ],
      ...[
        tools.map(({ description }) => description),
        tools.map(({ wire }) => JSON.stringify(wire.inputSchema)),
      ],
      ...[tools.map(({ wire }) => JSON.stringify(wire)), tools.map(({ wireSha256 }) => wireSha256)],
      ...[
        tools.map(({ disabledReason }) => disabledReason),
        tools.map(({ disabledDetail }) => disabledDetail),
        tools.map(({ warnings }) => JSON.stringify(warnings)),
      ],
    ],
  );
}
