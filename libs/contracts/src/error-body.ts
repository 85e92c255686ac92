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

/** Says when to try again only where trying again as it was can help: a provider may say so of what it refused for good, too. */
export function errorBody(error: ErrorInfo, callId?: string): ErrorBody {
  const { next, retry } = errorCatalog[error.code];
  const retryAfterMs = retry === 'after_delay' ? error.retryAfterMs : undefined;
  return {
    code: error.code,
    message: error.message,
    ...(callId !== undefined && { call_id: callId }),
    next,
    ...(retryAfterMs !== undefined && { retry_after_ms: retryAfterMs }),
    ...(error.details && { details: error.details }),
  };
}
