import { Injectable } from '@nestjs/common';
import type { PinState } from '@switchyard/access';
import type { WireTool } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';

export type ToolHead = { id: string; name: string; enabled: boolean; pinState: PinState };
export type ToolRow = ToolHead & {
  wire: WireTool;
  disabledReason: string | null;
  disabledDetail: string | null;
  lastSeenAt: Date | null;
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
      `SELECT id, name, enabled, pin_state AS "pinState", wire, disabled_reason AS "disabledReason", disabled_detail AS "disabledDetail", last_seen_at AS "lastSeenAt"
        FROM catalog.v_tools WHERE integration_id = $1 AND id = ANY($2)`,
      [integrationId, ids],
    );
    return new Map(rows.map((row) => [row.id, row]));
  }
}
