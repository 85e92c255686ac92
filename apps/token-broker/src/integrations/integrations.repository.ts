import { Injectable } from '@nestjs/common';
import type { AuthMode } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';

/** What the broker needs to know of an integration before it hands anything out. */
export type LeasedIntegration = {
  readonly id: string;
  readonly orgId: string;
  readonly scope: 'global' | 'organization' | 'user';
  readonly ownerUserId: string | null;
  readonly authMode: AuthMode;
  readonly headerNames: readonly string[];
  readonly envNames: readonly string[];
  readonly enabled: boolean;
};

@Injectable()
export class IntegrationsRepository {
  constructor(private readonly sql: Sql) {}

  /** Read for each lease: what an admin revokes is refused from the next lease on. */
  async find(id: string): Promise<LeasedIntegration | null> {
    const rows: LeasedIntegration[] = await this.sql.query(
      `SELECT id, organization_id AS "orgId", scope, owner_user_id AS "ownerUserId", auth_mode AS "authMode",
              header_names AS "headerNames", env_names AS "envNames", enabled
       FROM registry.v_integrations WHERE id = $1`,
      [id],
    );
    return rows[0] ?? null;
  }
}
