import type { CallState, Lane, ToolCallJob } from '@switchyard/contracts';
import type { Sql } from '@switchyard/database';
import { ledgerColumns, type LedgerRow } from './ledger-row.js';

const names = Object.keys(ledgerColumns) as (keyof typeof ledgerColumns)[];
const unnested = names.map((name, i) => `$${i + 1}::text[]`).join(', ');
const cast = names.map((name) => `r.${name}::${ledgerColumns[name]}`).join(', ');
/*
 * One array per column rather than one JSON document: json_to_recordset unescapes nested strings on the way and so
 * refuses a result that holds \u0000, and with it the whole batch.
 */
const insert = `INSERT INTO dispatch.tool_calls AS c (${names.join(', ')})
  SELECT ${cast} FROM unnest(${unnested}) AS r(${names.join(', ')})`;

const ended = `status = excluded.status, safe = excluded.safe, integration_slug = coalesce(nullif(excluded.integration_slug, ''), c.integration_slug),
  arguments = excluded.arguments, result = excluded.result, result_bytes = excluded.result_bytes,
  is_error = excluded.is_error, error_code = excluded.error_code, error_message = excluded.error_message,
  error_details = excluded.error_details, retry_after_ms = excluded.retry_after_ms, auth_path = coalesce(excluded.auth_path, c.auth_path),
  attempts = greatest(excluded.attempts, c.attempts), worker_id = excluded.worker_id, holder = excluded.holder, trace_id = coalesce(c.trace_id, excluded.trace_id),
  started_at = coalesce(excluded.started_at, c.started_at), ended_at = excluded.ended_at, next_sweep_at = NULL`;

/** What the ledger says of a call that a worker is about to run. */
export type KnownCall = {
  status: CallState;
  round: number;
  worker_id: string | null;
  /** The taking that has it while it runs. */
  holder: string | null;
  /** As its last worker knew its tool; null where none has taken it. */
  safe: boolean | null;
  result: unknown;
  error_code: string | null;
  error_message: string | null;
  error_details: Record<string, unknown> | null;
  retry_after_ms: string | null;
  auth_path: string | null;
};

/** Where a call stands, and under which id its job would be found. */
export type CallStanding = { status: CallState; lane: Lane; round: number; run_id: string | null };

/** The SQL of the ledger. Statements never lower a terminal state: the first end of a call is its end. */
export class LedgerRepository {
  constructor(private readonly sql: Sql) {}

  /** The fence: commits `running` for a call without a row. False when the call has one already. */
  async insertRunning(rows: LedgerRow[]): Promise<Set<string>> {
    const inserted = await this.sql.prepared<{ call_id: string }>(
      `${insert} ON CONFLICT (call_id) DO NOTHING RETURNING c.call_id`,
      arrays(rows),
    );
    return new Set(inserted.map(({ call_id }) => call_id));
  }

  /** The fence of a call that has a row: `accepted` or `queued` becomes `running`. False when it was neither. */
  async moveToRunning(row: LedgerRow): Promise<boolean> {
    const moved = await this.sql.prepared(
      `UPDATE dispatch.tool_calls SET status = 'running', safe = $2, integration_slug = $3, worker_id = $4,
         round = greatest(round, $5), attempts = greatest(attempts, $6), started_at = now(), next_sweep_at = NULL, holder = $7
       WHERE call_id = $1 AND status IN ('accepted', 'queued') RETURNING call_id`,
      [row.call_id, row.safe, row.integration_slug, row.worker_id, row.round, row.attempts, row.holder],
    );
    return moved.length === 1;
  }

  /**
   * A call that runs goes back to the queue, or one that waits is added again: its new job id carries `round`. A
   * direct call gets its row here, so that the sweeper knows of the job. False, and nothing is moved, where another has the
   * call or has brought it further.
   */
  async moveToQueued(
    row: LedgerRow,
    job: Pick<ToolCallJob, 'sealed' | 'subjectToken' | 'resume'>,
    sweepAfterMs: number,
  ): Promise<boolean> {
    const moved = await this.sql.query(
      `INSERT INTO dispatch.tool_calls (call_id, org_id, integration_id, integration_slug, tool, outward_name, status, lane,
         run_kind, caller_kind, user_id, virtual_key_id, run_id, request_id, ledger_first, safe, sealed, arguments,
         arguments_sha256, attempts, round, accepted_at, deadline_at, subject_token, method, resume, next_sweep_at)
       VALUES ($1, $2, $3, $4, $5, $6, 'queued', $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
         $23, $24, $25, now() + make_interval(secs => $26::float8 / 1000))
       ON CONFLICT (call_id) DO UPDATE SET status = 'queued', attempts = excluded.attempts, round = excluded.round,
         sealed = excluded.sealed, next_sweep_at = excluded.next_sweep_at, worker_id = NULL, holder = NULL
         WHERE tool_calls.round < excluded.round AND (tool_calls.status IN ('accepted', 'queued')
           OR (tool_calls.status = 'running' AND (tool_calls.holder = $27 OR tool_calls.safe)))
       RETURNING call_id`,
      [
        row.call_id,
        row.org_id,
        row.integration_id,
        row.integration_slug,
        row.tool,
        row.outward_name,
        row.lane,
        row.run_kind,
        row.caller_kind,
        row.user_id,
        row.virtual_key_id,
        row.run_id,
        row.request_id,
        row.ledger_first,
        row.safe,
        JSON.stringify(job.sealed),
        row.arguments,
        row.arguments_sha256,
        row.attempts,
        row.round,
        row.accepted_at,
        row.deadline_at,
        job.subjectToken ?? null,
        row.method,
        job.resume ? JSON.stringify(job.resume) : null,
        sweepAfterMs,
        row.holder,
      ],
    );
    return moved.length === 1;
  }

  /** A running call becomes this taking's. False where the one before does not have it any more. */
  async adopt(row: LedgerRow, before: string | null): Promise<boolean> {
    const adopted = await this.sql.query(
      `UPDATE dispatch.tool_calls SET worker_id = $2, holder = $3
       WHERE call_id = $1 AND status = 'running' AND holder IS NOT DISTINCT FROM $4 RETURNING call_id`,
      [row.call_id, row.worker_id, row.holder, before],
    );
    return adopted.length === 1;
  }

  /**
   * Writes the ends of calls, with or without a row before. No worker ends a call that waits for a person, nor one that
   * another has: but for a safe one, of which any answer is as good.
   */
  async end(rows: LedgerRow[]): Promise<void> {
    await this.sql.prepared(
      `${insert} ON CONFLICT (call_id) DO UPDATE SET ${ended} WHERE c.status IN ('accepted', 'queued')
         OR (c.status = 'running' AND (c.holder IS NULL OR c.holder = excluded.holder OR c.safe))`,
      arrays(rows),
    );
  }

  async find(callId: string): Promise<KnownCall | undefined> {
    const [row] = await this.sql.query<KnownCall>(
      `SELECT status, round, worker_id, holder, safe, result, error_code, error_message, error_details, retry_after_ms, auth_path
       FROM dispatch.tool_calls WHERE call_id = $1`,
      [callId],
    );
    return row;
  }

  /** Cancels a call that was never sent. True when it did. */
  async cancelUnsent(callId: string, orgId: string): Promise<boolean> {
    const cancelled = await this.sql.query(
      `UPDATE dispatch.tool_calls SET status = 'cancelled', error_code = 'cancelled', ended_at = now(), next_sweep_at = NULL,
         error_message = 'The call was cancelled before it was sent.'
       WHERE call_id = $1 AND org_id = $2 AND status IN ('accepted', 'queued', 'awaiting_approval') RETURNING call_id`,
      [callId, orgId],
    );
    return cancelled.length === 1;
  }

  async stateOf(callId: string, orgId: string): Promise<CallStanding | undefined> {
    const [row] = await this.sql.query<CallStanding>(
      'SELECT status, lane, round, run_id FROM dispatch.tool_calls WHERE call_id = $1 AND org_id = $2',
      [callId, orgId],
    );
    return row;
  }
}

function arrays(rows: LedgerRow[]): (string | null)[][] {
  return names.map((name) => rows.map((row) => (row[name] === null ? null : String(row[name]))));
}
