import type { Sql } from '@switchyard/database';

/** Reads `gateway.v_revoked_grants`. */
export class RevokedGrantsRepository {
  constructor(private readonly sql: Sql) {}

  /** The grants that were revoked in the time before now. By the database's clock, which wrote when they were. */
  async revokedSince(ageMs: number): Promise<string[]> {
    const rows = await this.sql.query<{ id: string }>(
      'SELECT id FROM gateway.v_revoked_grants WHERE revoked_at > now() - make_interval(secs => $1::float8 / 1000)',
      [ageMs],
    );
    return rows.map(({ id }) => id);
  }
}
