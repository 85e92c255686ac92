import type { Sql } from '@switchyard/database';
import type { ChildProcess } from './child-session.js';

/** Ownership of stdio children: one row per integration, held by a worker until `lease_until`. */
export class StdioOwnersRepository {
  constructor(
    private readonly sql: Sql,
    private readonly workerId: string,
    private readonly leaseMs: number,
  ) {}

  /**
   * Renews this worker's leases, and writes down the processes that run, by integration. Returns the integrations that it
   * still owns: a lease that ran out is lost.
   */
  async renew(processes: ReadonlyMap<string, ChildProcess>): Promise<Set<string>> {
    const running = [...processes].map(([id, { pid, startedAt }]) => ({ id, pid, started_at: startedAt }));
    const rows = await this.sql.query<{ integration_id: string }>(
      `UPDATE dispatch.stdio_owners o SET lease_until = clock_timestamp() + make_interval(secs => $2::float8 / 1000),
         (pid, started_at) = (SELECT p.pid, p.started_at
           FROM jsonb_to_recordset($3::jsonb) AS p(id uuid, pid integer, started_at timestamptz) WHERE p.id = o.integration_id)
       WHERE worker_id = $1 AND lease_until > clock_timestamp() RETURNING integration_id`,
      [this.workerId, this.leaseMs, JSON.stringify(running)],
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
       ON CONFLICT (integration_id) DO UPDATE SET worker_id = excluded.worker_id, lease_until = excluded.lease_until,
           pid = NULL, started_at = NULL
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
