import { Injectable } from '@nestjs/common';
import { Sql } from '@switchyard/database';

@Injectable()
export class AdminKeysRepository {
  constructor(private readonly sql: Sql) {}

  /** Whose key it is. Found by its digest, so that the time it takes tells nothing of keys. */
  async organizationOf(keySha256: string): Promise<string | null> {
    const rows = await this.sql.query<{ orgId: string }>(
      `SELECT organization_id AS "orgId" FROM registry.v_admin_keys WHERE key_hash = $1`,
      [keySha256],
    );
    return rows[0]?.orgId ?? null;
  }
}
