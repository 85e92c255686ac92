import {
  PlatformError,
  type AuthPath,
  type ErrorCode,
  type ErrorInfo,
  type PlatformErrorOptions,
  type ToolCallOutcome,
  type ToolResult,
  type UpstreamFailure,
} from '@switchyard/contracts';
import type { KnownCall } from '../ledger/ledger.repository.js';

/** The outcome of a call whose tool answered, `isError` or not. */
export function completed(callId: string, authPath: AuthPath | null, result: ToolResult): ToolCallOutcome {
  return { status: 'completed', callId, authPath, result };
}

type Uncompleted = Exclude<ToolCallOutcome['status'], 'completed'>;

/** The outcome of a call that ended any other way. */
export function ended(
  status: Uncompleted,
  callId: string,
  {
    code,
    authPath = null,
    ...options
  }: { code: ErrorCode; authPath?: AuthPath | null } & PlatformErrorOptions,
): ToolCallOutcome {
  return { status, callId, authPath, error: new PlatformError(code, options).toInfo() };
}

/**
 * The outcome of a call whose last send failed, and is not tried again. What was sent to an unsafe tool and not
 * answered is `outcome_unknown`; all else is known not to have worked.
 */
export function failed(
  callId: string,
  authPath: AuthPath | null,
  { failure, safe }: { failure: UpstreamFailure; safe: boolean },
): ToolCallOutcome {
  if (failure.failureClass === 'sent_no_answer' && !safe) {
    return ended('outcome_unknown', callId, {
      code: 'outcome_unknown',
      authPath,
      details: { reason: failure.error.code, ...failure.error.details },
      message: `Reason: ${failure.error.message}`,
    });
  }
  return { status: 'failed', callId, authPath, error: failure.error };
}

/** What the ledger knows of a call that another worker, or this one before, has fenced. */
export function fromLedger(callId: string, known: KnownCall): ToolCallOutcome {
  const authPath = known.auth_path as AuthPath | null;
  if (known.status === 'completed') {
    if (known.result !== null) return completed(callId, authPath, known.result as ToolResult);
    return ended('failed', callId, {
      code: 'internal',
      authPath,
      message: 'The call was completed before, but the integration is set to keep no results.',
    });
  }
  if (known.status === 'running') {
    return ended('outcome_unknown', callId, {
      code: 'outcome_unknown',
      authPath,
      details: { reason: 'worker_lost' },
      message: 'The worker that had sent it was lost.',
    });
  }
  const status = storedEnds.find((end) => end === known.status) ?? 'outcome_unknown';
  const error = storedError(known);
  return { status, callId, authPath, error };
}

const storedEnds = ['failed', 'cancelled', 'expired', 'denied'] as const;

function storedError(known: KnownCall): ErrorInfo {
  const details = known.error_details ?? undefined;
  const error = new PlatformError((known.error_code ?? 'internal') as ErrorCode, { details }).toInfo();
  return { ...error, message: known.error_message ?? error.message };
}
