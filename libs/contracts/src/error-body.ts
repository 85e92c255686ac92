import { type ErrorInfo, errorCatalog } from './errors.js';

/** An error inside of an answer, as every face shows it: the same object in MCP results, JSON answers and problem documents. */
export type ErrorBody = {
  readonly code: ErrorInfo['code'];
  readonly message: string;
  readonly call_id?: string;
  readonly next: string;
  readonly retry_after_ms?: number;
  readonly details?: Record<string, unknown>;
};

export function errorBody(error: ErrorInfo, callId?: string): ErrorBody {
  return {
    code: error.code,
    message: error.message,
    ...(callId !== undefined && { call_id: callId }),
    next: errorCatalog[error.code].next,
    ...(error.retryAfterMs !== undefined && { retry_after_ms: error.retryAfterMs }),
    ...(error.details && { details: error.details }),
  };
}
