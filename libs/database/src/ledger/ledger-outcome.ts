import {
  AuthPath,
  ErrorCodeSchema,
  type ErrorInfo,
  PlatformError,
  type ToolCallOutcome,
} from '@switchyard/contracts';
import type { LedgerCall } from './ledger-call.js';

/** How the call ended, as its row tells it; undefined while it has not ended. */
export function ledgerOutcome(row: LedgerCall): ToolCallOutcome | undefined {
  const ended = { callId: row.call_id, authPath: AuthPath.nullable().catch(null).parse(row.auth_path) };
  switch (row.status) {
    case 'completed':
      return row.result
        ? { ...ended, status: 'completed', result: row.result }
        : { ...ended, status: 'failed', error: resultNotKept() };
    case 'failed':
    case 'cancelled':
    case 'expired':
    case 'denied':
    case 'outcome_unknown':
      return { ...ended, status: row.status, error: ledgerError(row) };
    case 'accepted':
    case 'awaiting_approval':
    case 'queued':
    case 'running':
      return undefined;
  }
}

/** The error of a row whose call ended without a result. */
export function ledgerError(row: LedgerCall): ErrorInfo {
  const code = ErrorCodeSchema.catch('internal').parse(row.error_code);
  return {
    code,
    message: row.error_message ?? new PlatformError(code).message,
    ...(row.error_details && { details: row.error_details }),
    ...(row.retry_after_ms !== null && { retryAfterMs: row.retry_after_ms }),
  };
}

/** The answer was lost on its way, and the integration's retention says that the ledger keeps none. */
function resultNotKept(): ErrorInfo {
  return new PlatformError('dependency_unavailable', {
    message: 'The call completed, but its answer was lost on the way and is not kept.',
    details: { status: 'completed' },
  }).toInfo();
}
