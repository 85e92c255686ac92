import { errorBody } from '@switchyard/contracts';
import { type LedgerCall, ledgerError } from '@switchyard/database';

/** A call as `/api/tool-calls` shows it. */
export function callRecord(row: LedgerCall) {
  return {
    call_id: row.call_id,
    status: row.status,
    method: row.method,
    tool: row.outward_name,
    integration: row.integration_slug,
    ...(row.error_code !== null && { error: errorBody(ledgerError(row), row.call_id) }),
    result_bytes: row.result_bytes,
    auth_path: row.auth_path,
    attempts: row.attempts,
    accepted_at: row.accepted_at.toISOString(),
    started_at: row.started_at?.toISOString() ?? null,
    ended_at: row.ended_at?.toISOString() ?? null,
    deadline_at: row.deadline_at.toISOString(),
    ...(row.ended_at && { duration_ms: row.ended_at.getTime() - row.accepted_at.getTime() }),
  };
}

/** With what went in and came out; either is null where the integration's retention keeps none. */
export function wholeCallRecord(row: LedgerCall) {
  return { ...callRecord(row), arguments: row.arguments ?? null, result: row.result ?? null };
}
