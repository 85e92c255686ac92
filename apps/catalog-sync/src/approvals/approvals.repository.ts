import { Injectable } from '@nestjs/common';
import type { ToolApproval } from '@switchyard/contracts';
import type { Sql } from '@switchyard/database';

type Row = { readonly name: string; readonly wireSha256: string; readonly isApproved: boolean };

/** What an admin approved of an integration's tools, always within a transaction. */
@Injectable()
export class ApprovalsRepository {
  async list(sql: Sql, integrationId: string): Promise<Row[]> {
    return sql.query<Row>(
      `SELECT name, wire_sha256 AS "wireSha256", coalesce(approved_sha256 = wire_sha256, false) AS "isApproved"
       FROM catalog.external_mcp_tools WHERE integration_id = $1 AND disabled_reason IS DISTINCT FROM 'vanished'
       FOR UPDATE`,
      [integrationId],
    );
  }

  /** Approves these tools as they are, or all that the upstream lists where no names are given. How many became other than they were. */
  async approve(sql: Sql, integrationId: string, names: readonly string[] | null): Promise<number> {
    const rows = await sql.query(
      `UPDATE catalog.external_mcp_tools SET approved_sha256 = wire_sha256, approved_wire = wire, approved_at = now()
       WHERE integration_id = $1 AND ($2::text[] IS NULL OR name = ANY($2)) AND approved_sha256 IS DISTINCT FROM wire_sha256
         AND disabled_reason IS DISTINCT FROM 'vanished'
       RETURNING 1`,
      [integrationId, names],
    );
    return rows.length;
  }
}

/** The names that are not, or no longer, what the admin saw. */
export function changedSince(rows: readonly Row[], seen: NonNullable<ToolApproval['tools']>): string[] {
  const now = new Map(rows.map(({ name, wireSha256 }) => [name, wireSha256]));
  return seen.filter(({ name, wireSha256 }) => now.get(name) !== wireSha256).map(({ name }) => name);
}
