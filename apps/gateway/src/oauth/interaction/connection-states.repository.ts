import { Injectable } from '@nestjs/common';
import { Sql } from '@switchyard/database';

@Injectable()
export class ConnectionStates {
  constructor(private readonly sql: Sql) {}

  /** The integrations that the user has connected. */
  async connectedOf(orgId: string, userId: string): Promise<ReadonlySet<string>> {
    const rows = await this.sql.query<{ id: string }>(
      `SELECT integration_id AS id FROM broker.v_credential_states
       WHERE organization_id = $1 AND user_id = $2 AND state IN ('active', 'needs_update')`,
      [orgId, userId],
    );
    return new Set(rows.map(({ id }) => id));
  }
}
