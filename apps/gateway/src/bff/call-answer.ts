import {
  type ErrorBody,
  errorBody,
  errorCatalog,
  type ErrorCode,
  type ErrorInfo,
  type ToolCallOutcome,
} from '@switchyard/contracts';
import { type LedgerCall, ledgerOutcome } from '@switchyard/database';
import { outcomeToMcp } from '../tool-calls/outcome-to-mcp.js';

/** The answer to a call, and to the question what became of it. */
export type CallAnswerBody = {
  readonly tool_id: string;
  readonly name: string;
  readonly status: 'completed' | 'failed' | 'pending';
  /** The tool's own result. One with `isError` is a result too: the tool ran, and says that it could not. */
  readonly result: unknown;
  readonly error: ErrorBody | null;
  readonly call_id: string;
  readonly execution_time_ms: number;
  readonly upstream_status: number | null;
  /** Where to ask what became of it, while it is pending. */
  readonly next?: string;
};

export type CalledTool = { readonly tool_id: string; readonly name: string };

/** A call that ended. */
export function endedAnswer(tool: CalledTool, outcome: ToolCallOutcome, elapsedMs: number): CallAnswerBody {
  const error = outcome.status === 'completed' ? null : outcome.error;
  return {
    ...tool,
    status: error ? 'failed' : 'completed',
    result: error ? null : outcomeToMcp(outcome, {}),
    error: error && errorBody(error, outcome.callId),
    call_id: outcome.callId,
    execution_time_ms: elapsedMs,
    upstream_status: error ? upstreamStatus(error) : null,
  };
}

/** A call that goes on. */
export function pendingAnswer(tool: CalledTool, callId: string, elapsedMs: number): CallAnswerBody {
  return {
    ...{ ...tool, status: 'pending', result: null, error: null, call_id: callId },
    ...{ execution_time_ms: elapsedMs, upstream_status: null, next: `GET /api/bff/calls/${callId}` },
  };
}

/** A call as the ledger has it. */
export function ledgerAnswer(row: LedgerCall, now = Date.now()): CallAnswerBody {
  const tool = { tool_id: `${row.integration_id}:${row.tool}`, name: row.outward_name };
  const elapsedMs = (row.ended_at?.getTime() ?? now) - row.accepted_at.getTime();
  const outcome = ledgerOutcome(row);
  if (!outcome) return pendingAnswer(tool, row.call_id, elapsedMs);
  const answer = endedAnswer(tool, outcome, elapsedMs);
  if (row.status !== 'completed' || row.result) return answer;
  // It did complete; the integration's retention keeps no results.
  return { ...answer, status: 'completed', error: null };
}

/** Failures that the calling backend, and not the model or the user, has to deal with. All others are 200 `failed`. */
const statuses: Partial<Record<ErrorCode, number>> = { token_exchange_failed: 401 };
const unavailable = new Set<ErrorCode>([
  'upstream_unreachable',
  'upstream_rate_limited',
  'integration_unavailable',
  'authorization_server_unavailable',
  'circuit_open',
]);

/** The HTTP status of the answer to a call that was accepted. */
export function statusOf({ status, error }: CallAnswerBody): number {
  if (status === 'pending') return 202;
  if (!error) return 200;
  if (unavailable.has(error.code)) return 503;
  const { family, httpStatus } = errorCatalog[error.code];
  return statuses[error.code] ?? (family === 'platform' || family === 'caller' ? httpStatus : 200);
}

function upstreamStatus({ details }: ErrorInfo): number | null {
  const status = details?.['upstream_status'];
  return typeof status === 'number' ? status : null;
}
