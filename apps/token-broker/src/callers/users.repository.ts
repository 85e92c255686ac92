import { Injectable } from '@nestjs/common';
import { Sql } from '@switchyard/database';

@Injectable()
export class UsersRepository {
  constructor(private readonly sql: Sql) {}

  /** Asked for each lease: a user who is deactivated gets none from then on. */
  async isActive(orgId: string, userId: string): Promise<boolean> {
    const rows = await this.sql.prepared(
      `SELECT 1 FROM registry.v_users WHERE id = $1 AND organization_id = $2 AND active`,
      [userId, orgId],
    );
    return rows.length > 0;
  }

  async name(userId: string): Promise<string | null> {
    const rows = await this.sql.query<{ name: string | null }>(
      `SELECT coalesce(display_name, username, email, subject) AS name FROM registry.v_users WHERE id = $1`,
      [userId],
    );
    return rows[0]?.name ?? null;
  }
}
