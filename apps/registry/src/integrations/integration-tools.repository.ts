import { Injectable } from '@nestjs/common';
import type { PinState } from '@switchyard/access';
import type { WireTool } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';

export type ToolHead = { id: string; name: string; enabled: boolean; pinState: PinState };
export type ToolRow = ToolHead & {
  wire: WireTool;
  disabledReason: string | null;
  disabledDetail: string | null;
  wireSha256: string;
  warnings: string[];
  lastSeenAt: Date | null;
};

/** A tool as it is, and as an admin approved it. */
export type ApprovalRow = {
  name: string;
  pinState: PinState;
  wire: WireTool;
  wireSha256: string;
  approvedWire: WireTool | null;
  approvedSha256: string | null;
  approvedAt: Date | null;
};

/** Reads the catalog of one integration; the caller has checked whose it is. */
@Injectable()
export class IntegrationToolsRepository {
  constructor(private readonly sql: Sql) {}

  /** All tools in the order in which they were first seen, on which outward names depend. */
  async heads(integrationId: string): Promise<ToolHead[]> {
    return this.sql.query<ToolHead>(
      `SELECT id, name, enabled, pin_state AS "pinState" FROM catalog.v_tools WHERE integration_id = $1 ORDER BY id`,
      [integrationId],
    );
  }

  async rows(integrationId: string, ids: readonly string[]): Promise<Map<string, ToolRow>> {
    const rows = await this.sql.query<ToolRow>(
      `SELECT id, name, enabled, pin_state AS "pinState", wire, disabled_reason AS "disabledReason", disabled_detail AS "disabledDetail", wire_sha256 AS "wireSha256", warnings, last_seen_at AS "lastSeenAt"
        FROM catalog.v_tools WHERE integration_id = $1 AND id = ANY($2)`,
      [integrationId, ids],
    );
    return new Map(rows.map((row) => [row.id, row]));
  }

  async approvalOf(integrationId: string, name: string): Promise<ApprovalRow | undefined> {
    const [row] = await this.sql.query<ApprovalRow>(
      `SELECT name, pin_state AS "pinState", wire, wire_sha256 AS "wireSha256", approved_wire AS "approvedWire",
          approved_sha256 AS "approvedSha256", approved_at AS "approvedAt"
        FROM catalog.v_tools WHERE integration_id = $1 AND name = $2`,
      [integrationId, name],
    );
    return row;
  }

  /** What an approval of all approves: every tool that is there and not approved, in the form that it has now. */
  async unapproved(integrationId: string): Promise<{ name: string; wireSha256: string }[]> {
    return this.sql.query<{ name: string; wireSha256: string }>(
      `SELECT name, wire_sha256 AS "wireSha256" FROM catalog.v_tools
        WHERE integration_id = $1 AND pin_state <> 'approved' AND disabled_reason IS DISTINCT FROM 'vanished'`,
      [integrationId],
    );
  }

  /** The names of all tools that are there, of the integrations that an organization sees under such slugs and that have any. */
  async namesBySlug(orgId: string, slugs: readonly string[]): Promise<Map<string, string[]>> {
    const rows = await this.sql.query<{ slug: string; names: string[] }>(
      `SELECT i.slug, array_agg(t.name) AS names FROM registry.integrations i
        JOIN catalog.v_tools t ON t.integration_id = i.id AND t.disabled_reason IS DISTINCT FROM 'vanished'
        WHERE (i.organization_id = $1 OR i.scope = 'global') AND i.slug = ANY($2) GROUP BY i.slug`,
      [orgId, slugs],
    );
    return new Map(rows.map(({ slug, names }) => [slug, names]));
  }

  /** Those of the names whose tools are known and do not say that they only read. */
  async notReadOnly(integrationId: string, names: readonly string[]): Promise<string[]> {
    if (names.length === 0) return [];
    const rows = await this.sql.query<{ name: string }>(
      `SELECT name FROM catalog.v_tools WHERE integration_id = $1 AND name = ANY($2)
        AND (wire->'annotations'->'readOnlyHint')::text IS DISTINCT FROM 'true' ORDER BY name`,
      [integrationId, names],
    );
    return rows.map(({ name }) => name);
  }
}
