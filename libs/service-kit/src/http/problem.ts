import { type ErrorCode, errorCatalog, PlatformError } from '@switchyard/contracts';
import { z } from 'zod';

/** A problem document (RFC 9457), the body of every error answer. */
export type Problem = {
  type: string;
  title: string;
  status: number;
  code: ErrorCode;
  detail: string;
  /** What the reader should do next. */
  next: string;
  call_id?: string;
  request_id?: string;
  /** What is wrong with the request, at most ten. */
  errors?: FieldError[];
  retry_after_ms?: number;
  details?: Record<string, unknown>;
};

/** One thing that is wrong with a request; `path` is empty for the request as a whole. */
export type FieldError = { path: string; message: string };

const mostFieldErrors = 10;

/** The problem document of an error. `internal` says nothing of its cause. */
export function toProblem(error: PlatformError, ids: { callId?: string; requestId?: string } = {}): Problem {
  const row = errorCatalog[error.code];
  const { errors, callId = ids.callId, ...details } = error.details ?? {};
  return {
    type: `urn:switchyard:error:${error.code}`,
    title: row.publicMessage,
    status: row.httpStatus,
    code: error.code,
    detail: error.message,
    next: error.next ?? row.next,
    ...(typeof callId === 'string' && { call_id: callId }),
    ...(ids.requestId && { request_id: ids.requestId }),
    ...(Array.isArray(errors) && { errors: errors as FieldError[] }),
    ...(error.retryAfterMs !== undefined && { retry_after_ms: error.retryAfterMs }),
    ...(Object.keys(details).length > 0 && { details }),
  };
}

/** Any thrown value as the error that the caller may see: zod's and the HTTP framework's own errors are recognized. */
export function toPublicError(thrown: unknown): PlatformError {
  if (thrown instanceof PlatformError) return thrown;
  if (thrown instanceof z.core.$ZodError) return invalidRequest(thrown);
  const status = httpStatusOf(thrown);
  const code = status === undefined ? 'internal' : codeOfStatus(status);
  const isOurFault = errorCatalog[code].httpStatus >= 500;
  return new PlatformError(code, {
    cause: thrown,
    message: isOurFault || code === 'not_found' ? undefined : frameworkMessage(thrown),
  });
}

/** `invalid_request` that names the fields. */
export function invalidRequest(error: z.core.$ZodError): PlatformError {
  const errors = error.issues
    .slice(0, mostFieldErrors)
    .map(({ path, message }) => ({ path: path.join('.'), message }));
  return new PlatformError('invalid_request', {
    details: { errors },
    message: errors.map(inWords).join('; '),
    cause: error,
  });
}

function inWords({ path, message }: FieldError): string {
  return path ? `${path}: ${message}` : message;
}

function httpStatusOf(thrown: unknown): number | undefined {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  if ('getStatus' in thrown && typeof thrown.getStatus === 'function') return Number(thrown.getStatus());
  return 'statusCode' in thrown && typeof thrown.statusCode === 'number' ? thrown.statusCode : undefined;
}

const codes: Partial<Record<number, ErrorCode>> = {
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  405: 'not_found',
  413: 'payload_too_large',
  429: 'rate_limited',
  503: 'dependency_unavailable',
};

function codeOfStatus(status: number): ErrorCode {
  return codes[status] ?? (status >= 400 && status < 500 ? 'invalid_request' : 'internal');
}

/** Fastify's messages are fixed texts; a JSON parser's repeat the input, which may hold a secret. */
function frameworkMessage(thrown: unknown): string | undefined {
  if (thrown instanceof SyntaxError) return 'The body is not valid JSON.';
  if (!(thrown instanceof Error) || !('code' in thrown) || !String(thrown.code).startsWith('FST_'))
    return undefined;
  return thrown.message.endsWith('.') ? thrown.message : `${thrown.message}.`;
}
