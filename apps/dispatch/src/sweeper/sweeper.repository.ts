import { errorCatalog } from '@switchyard/contracts';
import type { Sql } from '@switchyard/database';
import { type WaitingCall, waitingColumns } from '../ledger/waiting-call.js';

/** A call that ended while it waited. */
export type ExpiredCall = { call_id: string; org_id: string; run_id: string | null; was: string };

const unknownOutcome = `status = 'outcome_unknown', error_code = 'outcome_unknown',
  error_message = 'The call was sent, but the worker that had sent it was lost.', error_details = '{"reason":"worker_lost"}'`;

/** The SQL of the sweeper. Each statement is bounded, so that a long backlog is swept in many short steps. */
export class SweeperRepository {
  constructor(
    private readonly sql: Sql,
    private readonly workerId: string,
  ) {}

  async beat(): Promise<void> {
    await this.sql.query(
      `INSERT INTO dispatch.workers (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET heartbeat_at = now()`,
      [this.workerId],
    );
  }

  async leave(): Promise<void> {
    await this.sql.query('DELETE FROM dispatch.workers WHERE id = $1', [this.workerId]);
  }

  /** Ends calls whose deadline passed while they waited, for a worker or for a person. */
  async expire(): Promise<ExpiredCall[]> {
    const isUnapproved = `late.status = 'awaiting_approval'`;
    return this.sql.query<ExpiredCall>(
      `UPDATE dispatch.tool_calls c SET status = 'expired', ended_at = now(), next_sweep_at = NULL,
         error_code = CASE WHEN ${isUnapproved} THEN 'approval_expired' ELSE 'deadline_exceeded' END,
         error_message = CASE WHEN ${isUnapproved} THEN $1::text ELSE $2::text END
       FROM (SELECT call_id, status FROM dispatch.tool_calls WHERE status IN ('accepted', 'queued', 'awaiting_approval')
         AND deadline_at < now() LIMIT 500 FOR UPDATE SKIP LOCKED) late
       WHERE c.call_id = late.call_id RETURNING c.call_id, c.org_id, c.run_id, late.status AS was`,
      [
        errorCatalog.approval_expired.publicMessage,
        `${errorCatalog.deadline_exceeded.publicMessage} It was never sent.`,
      ],
    );
  }

  /**
   * Judges calls whose worker is dead, or that outlived their deadline by a minute: sent and unsafe is
   * `outcome_unknown`, safe goes back to its queue. Redelivery by the queue does the same, sooner; this is for jobs
   * that the queue lost too.
   */
  async judgeOrphans(deadAfterMs: number): Promise<{ ended: string[]; waiting: string[] }> {
    const orphans = `SELECT c.call_id FROM dispatch.tool_calls c LEFT JOIN dispatch.workers w ON w.id = c.worker_id
      WHERE c.status = 'running' AND (w.id IS NULL OR w.heartbeat_at < now() - make_interval(secs => $1::float8 / 1000)
        OR c.deadline_at < now() - interval '1 minute') LIMIT 500 FOR UPDATE OF c SKIP LOCKED`;
    const ended = await this.ids(
      `UPDATE dispatch.tool_calls SET ${unknownOutcome}, ended_at = now() WHERE safe IS NOT TRUE AND call_id IN (${orphans}) RETURNING call_id`,
      [deadAfterMs],
    );
    const waiting = await this.ids(
      `UPDATE dispatch.tool_calls SET status = 'queued', worker_id = NULL, round = round + 1, next_sweep_at = now()
       WHERE safe AND sealed IS NOT NULL AND deadline_at > now() AND call_id IN (${orphans}) RETURNING call_id`,
      [deadAfterMs],
    );
    const late = await this.ids(
      `UPDATE dispatch.tool_calls SET status = 'failed', error_code = 'deadline_exceeded', ended_at = now(),
         error_message = 'The call did not finish before its deadline; its worker was lost.'
       WHERE safe AND (deadline_at <= now() OR sealed IS NULL) AND call_id IN (${orphans}) RETURNING call_id`,
      [deadAfterMs],
    );
    return { ended: [...ended, ...late], waiting };
  }

  /** The next rows to look after. Each look doubles the time to the next, up to ten minutes. */
  async takeWaiting(limit: number): Promise<WaitingCall[]> {
    return this.sql.query<WaitingCall>(
      `UPDATE dispatch.tool_calls SET sweeps = sweeps + 1,
         next_sweep_at = now() + least(interval '10 minutes', interval '20 seconds' * power(2, least(sweeps, 6)))
       WHERE call_id IN (SELECT call_id FROM dispatch.tool_calls WHERE status IN ('accepted', 'queued') AND next_sweep_at <= now()
           AND sealed IS NOT NULL AND arguments IS NOT NULL
         ORDER BY next_sweep_at LIMIT $1 FOR UPDATE SKIP LOCKED)
       RETURNING ${waitingColumns}`,
      [limit],
    );
  }

  /** Every waiting row is due now: the queue may have lost its jobs. */
  async makeAllDue(): Promise<void> {
    await this.sql.query(
      `UPDATE dispatch.tool_calls SET next_sweep_at = now() WHERE status IN ('accepted', 'queued')`,
    );
  }

  /**
   * Rows past their time, dead workers and what they held. A call that waited for a person was sealed until its approval would have
   * expired, and only its row tells that it was denied, or has run: it stays as long.
   */
  async clean(retentionDays: number): Promise<void> {
    await this.sql.query(
      `DELETE FROM dispatch.tool_calls WHERE call_id IN
         (SELECT call_id FROM dispatch.tool_calls c WHERE ended_at < now() - make_interval(days => $1::int)
           AND NOT EXISTS (SELECT 1 FROM dispatch.approvals a WHERE a.call_id = c.call_id AND a.expires_at > now()) LIMIT 5000)`,
      [retentionDays],
    );
    await this.sql.query('DELETE FROM dispatch.idempotency_keys WHERE expires_at < now()');
    await this.sql.query(`DELETE FROM dispatch.workers WHERE heartbeat_at < now() - interval '1 hour'`);
  }

  /** Slots of workers that died are free again. */
  async freeSlots(deadAfterMs: number): Promise<void> {
    await this.sql.query(
      `DELETE FROM dispatch.slots s WHERE s.expires_at < now() OR NOT EXISTS (SELECT 1 FROM dispatch.workers w
         WHERE w.id = s.worker_id AND w.heartbeat_at > now() - make_interval(secs => $1::float8 / 1000))`,
      [deadAfterMs],
    );
  }

  private async ids(text: string, params: unknown[] = []): Promise<string[]> {
    return (await this.sql.query<{ call_id: string }>(text, params)).map(({ call_id }) => call_id);
  }
}
