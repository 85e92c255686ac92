import type { Sql } from '@switchyard/database';

/** Ownership of stdio children: one row per integration, held by a worker until `lease_until`. */
export class StdioOwnersRepository {
  constructor(
    private readonly sql: Sql,
    private readonly workerId: string,
    private readonly leaseMs: number,
  ) {}

  /** Renews this worker's leases. Returns the integrations that it still owns: a lease that ran out is lost. */
  async renew(): Promise<Set<string>> {
    const rows = await this.sql.query<{ integration_id: string }>(
      `UPDATE dispatch.stdio_owners SET lease_until = clock_timestamp() + make_interval(secs => $2::float8 / 1000)
       WHERE worker_id = $1 AND lease_until > clock_timestamp() RETURNING integration_id`,
      [this.workerId, this.leaseMs],
    );
    return new Set(rows.map((row) => row.integration_id));
  }

  /** Takes up to `room` of the integrations named that nobody holds. Of two workers that ask at once, one gets each. */
  async claim(integrationIds: string[], room: number): Promise<string[]> {
    const rows = await this.sql.query<{ integration_id: string }>(
      `INSERT INTO dispatch.stdio_owners AS o (integration_id, worker_id, lease_until)
       SELECT id, $2, clock_timestamp() + make_interval(secs => $3::float8 / 1000) FROM unnest($1::uuid[]) AS id
       WHERE NOT EXISTS (SELECT 1 FROM dispatch.stdio_owners h WHERE h.integration_id = id AND h.lease_until >= clock_timestamp())
       ORDER BY id LIMIT $4
       ON CONFLICT (integration_id) DO UPDATE SET worker_id = excluded.worker_id, lease_until = excluded.lease_until
         WHERE o.lease_until < clock_timestamp()
       RETURNING integration_id`,
      [integrationIds, this.workerId, this.leaseMs, room],
    );
    return rows.map((row) => row.integration_id);
  }

  /** Gives a lease back at once, so that another worker need not wait for its end. */
  async release(integrationId: string): Promise<void> {
    await this.sql.query('DELETE FROM dispatch.stdio_owners WHERE integration_id = $1 AND worker_id = $2', [
      integrationId,
      this.workerId,
    ]);
  }

  /** Workers that are alive, to share children fairly. */
  async liveWorkers(heartbeatMs: number): Promise<number> {
    const [row] = await this.sql.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM dispatch.workers WHERE heartbeat_at > now() - make_interval(secs => $1::float8 / 1000)`,
      [heartbeatMs],
    );
    return Math.max(1, row?.n ?? 1);
  }
}
