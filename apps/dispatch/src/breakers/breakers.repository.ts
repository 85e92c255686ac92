import type { Sql } from '@switchyard/database';

export type BreakerRow = {
  integration_id: string;
  state: 'closed' | 'open' | 'half_open';
  failures: number;
  retry_at: Date | null;
};

const columns = 'integration_id, state, failures, retry_at';

/** The rows of `dispatch.breakers`. No row means closed and no failures. */
export class BreakersRepository {
  constructor(private readonly sql: Sql) {}

  all(): Promise<BreakerRow[]> {
    return this.sql.query<BreakerRow>(`SELECT ${columns} FROM dispatch.breakers`);
  }

  async find(integrationId: string): Promise<BreakerRow | undefined> {
    return (
      await this.sql.query<BreakerRow>(`SELECT ${columns} FROM dispatch.breakers WHERE integration_id = $1`, [
        integrationId,
      ])
    )[0];
  }

  /** Takes one of the trial calls of a breaker whose pause is over. Trials whose worker died are given out again. */
  async beginTrial(
    integrationId: string,
    { trialCalls, openMs }: { trialCalls: number; openMs: number },
  ): Promise<BreakerRow | undefined> {
    const [row] = await this.sql.query<BreakerRow>(
      `UPDATE dispatch.breakers SET state = 'half_open', updated_at = now(),
         trials = CASE WHEN state = 'half_open' AND updated_at > now() - make_interval(secs => $3::float8 / 1000) THEN trials + 1 ELSE 1 END
       WHERE integration_id = $1 AND retry_at <= now()
         AND (state = 'open' OR trials < $2 OR updated_at <= now() - make_interval(secs => $3::float8 / 1000))
       RETURNING ${columns}`,
      [integrationId, trialCalls, openMs],
    );
    return row;
  }

  async countFailure(
    integrationId: string,
    { failureThreshold, openMs }: { failureThreshold: number; openMs: number },
  ): Promise<BreakerRow> {
    const opens = `(b.state <> 'closed' OR b.failures + 1 >= $2)`;
    const [row] = await this.sql.query<BreakerRow>(
      `INSERT INTO dispatch.breakers AS b (integration_id, failures, state) VALUES ($1, 1, 'closed')
       ON CONFLICT (integration_id) DO UPDATE SET failures = b.failures + 1, trials = 0, updated_at = now(),
         state = CASE WHEN ${opens} THEN 'open' ELSE b.state END,
         opened_at = CASE WHEN ${opens} AND b.state <> 'open' THEN now() ELSE b.opened_at END,
         retry_at = CASE WHEN b.state = 'open' THEN b.retry_at WHEN ${opens} THEN now() + make_interval(secs => $3::float8 / 1000) ELSE b.retry_at END
       RETURNING ${columns}`,
      [integrationId, failureThreshold, openMs],
    );
    return row as BreakerRow;
  }

  async remove(integrationId: string): Promise<boolean> {
    const removed = await this.sql.query(
      'DELETE FROM dispatch.breakers WHERE integration_id = $1 RETURNING integration_id',
      [integrationId],
    );
    return removed.length > 0;
  }
}
