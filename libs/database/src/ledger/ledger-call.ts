import type { CallState } from '@switchyard/contracts';
import type { Sql } from '../sql.js';

/** A row of `dispatch.v_calls`. */
export type LedgerCall = {
  call_id: string;
  integration_id: string;
  tool: string;
  integration_slug: string;
  outward_name: string;
  method: string;
  status: CallState;
  safe: boolean | null;
  arguments?: Record<string, unknown> | null;
  result?: Record<string, unknown> | null;
  error_code: string | null;
  error_message: string | null;
  error_details: Record<string, unknown> | null;
  retry_after_ms: number | null;
  auth_path: string | null;
  attempts: number;
  accepted_at: Date;
  started_at: Date | null;
  ended_at: Date | null;
  deadline_at: Date;
  result_bytes: number | null;
};

/** The columns of a call without its arguments and its result. */
export const ledgerSummary = `call_id, integration_id, tool, integration_slug, outward_name, method, status, safe, error_code, error_message, error_details,
  retry_after_ms, auth_path, attempts, accepted_at, started_at, ended_at, deadline_at, result_bytes`;

/** Calls with their results, whoever owns them: for whoever has accepted them itself. */
export async function findLedgerCalls(sql: Sql, callIds: readonly string[]): Promise<LedgerCall[]> {
  return sql.query<LedgerCall>(
    `SELECT ${ledgerSummary}, result FROM dispatch.v_calls WHERE call_id = ANY($1::uuid[])`,
    [callIds],
  );
}
