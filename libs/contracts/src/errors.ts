import { z } from 'zod';
import { approvalErrors } from './approval-errors.js';
import { modelErrors } from './model-errors.js';

/**
 * The closed catalog of errors: every code that can leave a process, with what it means to HTTP, to a retrying
 * caller and to a person. `docs/reference/errors.md` is generated from it.
 *
 * `retry` tells a caller when the same call may be made again:
 * `never`, `after_delay` (wait, then as it was), `after_action` (somebody has to do something first).
 */
export type ErrorRow = {
  /** Status of an HTTP answer whose whole outcome is this error (RFC 9457). */
  readonly httpStatus: number;
  readonly retry: 'never' | 'after_delay' | 'after_action';
  readonly family: 'caller' | 'identity' | 'upstream' | 'time' | 'platform';
  /** Leaves the process: names no address, no secret and no other tenant. */
  readonly publicMessage: string;
  /** What the reader should do next. */
  readonly next: string;
};

export const errorCatalog = {
  invalid_request: {
    httpStatus: 400,
    retry: 'never',
    family: 'caller',
    publicMessage: 'The request is not valid.',
    next: 'Correct the fields that the detail names and send it again.',
  },
  unauthenticated: {
    httpStatus: 401,
    retry: 'after_action',
    family: 'caller',
    publicMessage: 'No valid credential came with the request.',
    next: 'Send a virtual key as Authorization: Bearer, X-Api-Key or x-bf-virtual-key, or a user’s token as Authorization: Bearer (admin routes: the admin key or an admin’s token; credentials and audit: a user’s token or the admin key).',
  },
  key_expired: {
    httpStatus: 401,
    retry: 'after_action',
    family: 'caller',
    publicMessage: 'The virtual key has expired.',
    next: 'Ask an admin for a new key.',
  },
  key_revoked: {
    httpStatus: 401,
    retry: 'after_action',
    family: 'caller',
    publicMessage: 'The virtual key was revoked.',
    next: 'Ask an admin for a new key.',
  },
  token_expired: {
    httpStatus: 401,
    retry: 'after_action',
    family: 'caller',
    publicMessage: 'The token has expired.',
    next: 'Sign in again, or refresh the token at the identity provider.',
  },
  user_inactive: {
    httpStatus: 403,
    retry: 'after_action',
    family: 'caller',
    publicMessage: 'The user is deactivated.',
    next: 'Ask an admin of the organization.',
  },
  credentials_conflict: {
    httpStatus: 400,
    retry: 'never',
    family: 'caller',
    publicMessage: 'The request carries two different credentials.',
    next: 'Send one credential in one header.',
  },
  forbidden: {
    httpStatus: 403,
    retry: 'after_action',
    family: 'caller',
    publicMessage: 'The caller may not do this.',
    next: 'Ask an admin for the right.',
  },
  host_not_allowed: {
    httpStatus: 403,
    retry: 'never',
    family: 'caller',
    publicMessage: 'The Host header names no host of this gateway.',
    next: 'Use the configured public name, or add the name to GATEWAY_ALLOWED_HOSTS.',
  },
  origin_not_allowed: {
    httpStatus: 403,
    retry: 'never',
    family: 'caller',
    publicMessage: 'Requests from this Origin are not allowed.',
    next: 'Add the origin to GATEWAY_ALLOWED_ORIGINS, or call from a trusted page.',
  },
  not_found: {
    httpStatus: 404,
    retry: 'never',
    family: 'caller',
    publicMessage: 'There is no such resource.',
    next: 'Check the id; resources of other organizations are never shown.',
  },
  tool_not_found: {
    httpStatus: 404,
    retry: 'never',
    family: 'caller',
    publicMessage: 'There is no such tool for this caller.',
    next: 'List the tools again; the tool may be disabled, disconnected or not granted to this caller.',
  },
  tool_unapproved: {
    httpStatus: 403,
    retry: 'after_action',
    family: 'caller',
    publicMessage: 'The tool is new or changed at its server and waits for an admin to approve it.',
    next: 'Ask an admin to look at the change (GET /api/integrations/{id}/tools) and approve it.',
  },
  client_capability_missing: {
    httpStatus: 400,
    retry: 'after_action',
    family: 'caller',
    publicMessage: 'The server asks something of the client that the client cannot answer.',
    next: 'Call the tool from a client that declares the capability that the detail names.',
  },
  tool_arguments_invalid: {
    httpStatus: 400,
    retry: 'never',
    family: 'caller',
    publicMessage: 'The arguments do not match the tool’s input schema.',
    next: 'Correct the arguments that the detail names.',
  },
  slug_taken: {
    httpStatus: 409,
    retry: 'never',
    family: 'caller',
    publicMessage: 'Another resource of the organization has this slug.',
    next: 'Choose another slug, or edit the existing resource.',
  },
  conflict: {
    httpStatus: 409,
    retry: 'never',
    family: 'caller',
    publicMessage: 'The resource is not in a state that allows this.',
    next: 'Read the resource again and decide anew.',
  },
  idempotency_conflict: {
    httpStatus: 409,
    retry: 'never',
    family: 'caller',
    publicMessage: 'The Idempotency-Key was used before with another request.',
    next: 'Use a new key for whatever differs from the first request.',
  },
  payload_too_large: {
    httpStatus: 413,
    retry: 'never',
    family: 'caller',
    publicMessage: 'The request body is too large.',
    next: 'Send less; where `details` has `limit_bytes`, that is the limit.',
  },
  rate_limited: {
    httpStatus: 429,
    retry: 'after_delay',
    family: 'caller',
    publicMessage: 'Too many requests.',
    next: 'Wait as long as Retry-After says.',
  },
  stdio_not_allowed: {
    httpStatus: 403,
    retry: 'after_action',
    family: 'caller',
    publicMessage: 'The command is not on the operators’ allow-list of stdio servers.',
    next: 'Ask an operator to add an entry to the allow-list, or register the server over HTTP.',
  },

  needs_reauth: {
    httpStatus: 403,
    retry: 'after_action',
    family: 'identity',
    publicMessage: 'The integration needs to be connected again.',
    next: 'Open reauth_url and connect, then call again.',
  },
  auth_context_unavailable: {
    httpStatus: 403,
    retry: 'after_action',
    family: 'identity',
    publicMessage: 'This caller has no identity with which the integration can be called.',
    next: 'Call with a user’s own token, or ask an admin which callers the integration serves (its `callers`).',
  },
  auth_mode_unavailable: {
    httpStatus: 501,
    retry: 'after_action',
    family: 'identity',
    publicMessage: 'The auth mode of the integration does not go with its transport.',
    next: 'Register the integration with auth_mode none or headers, or over HTTP.',
  },
  scope_insufficient: {
    httpStatus: 403,
    retry: 'after_action',
    family: 'identity',
    publicMessage: 'The credential lacks a scope that the tool needs.',
    next: 'Connect again and grant the scope.',
  },
  token_exchange_failed: {
    httpStatus: 403,
    retry: 'after_action',
    family: 'identity',
    publicMessage: 'The vendor’s authorization server did not exchange the user’s token.',
    next: 'Sign in again; if it stays so, ask an admin to check audience, scopes and client of the integration.',
  },
  authorization_server_unavailable: {
    httpStatus: 503,
    retry: 'after_delay',
    family: 'identity',
    publicMessage: 'The vendor’s authorization server did not answer.',
    next: 'Try again later; the stored credential stays as it is.',
  },
  ...approvalErrors,

  integration_unavailable: {
    httpStatus: 503,
    retry: 'after_action',
    family: 'upstream',
    publicMessage: 'The integration is disconnected or disabled.',
    next: 'Ask an admin to look at its state, or reconnect it.',
  },
  upstream_unreachable: {
    httpStatus: 502,
    retry: 'after_delay',
    family: 'upstream',
    publicMessage: 'The upstream MCP server did not answer.',
    next: 'Try again later; an admin sees the failure at the integration.',
  },
  upstream_rate_limited: {
    httpStatus: 503,
    retry: 'after_delay',
    family: 'upstream',
    publicMessage: 'The upstream MCP server limits our calls.',
    next: 'Wait as long as Retry-After says.',
  },
  upstream_denied: {
    httpStatus: 502,
    retry: 'after_action',
    family: 'upstream',
    publicMessage: 'The upstream MCP server refused our credential.',
    next: 'Ask an admin to check the integration’s credential.',
  },
  upstream_protocol_error: {
    httpStatus: 502,
    retry: 'never',
    family: 'upstream',
    publicMessage:
      'The upstream MCP server answered with something that is not MCP, or with a protocol error.',
    next: 'Ask an admin to check the integration’s URL and server.',
  },
  circuit_open: {
    httpStatus: 503,
    retry: 'after_delay',
    family: 'upstream',
    publicMessage: 'Calls to the integration are paused after repeated failures.',
    next: 'Wait as long as Retry-After says, or ask an admin to reset the breaker.',
  },
  egress_denied: {
    httpStatus: 403,
    retry: 'after_action',
    family: 'upstream',
    publicMessage: 'The egress policy does not allow this address.',
    next: 'Use a public https address; private and loopback addresses need an explicit development setting.',
  },
  result_too_large: {
    httpStatus: 502,
    retry: 'never',
    family: 'upstream',
    publicMessage: 'The tool’s result is larger than the limit.',
    next: 'Narrow the call: ask for fewer items, a page or a range.',
  },

  ...modelErrors,

  deadline_exceeded: {
    httpStatus: 504,
    retry: 'after_delay',
    family: 'time',
    publicMessage: 'The call did not finish before its deadline.',
    next: 'Call again, or allow more time by deadline_ms or the tool’s deadline.',
  },
  cancelled: {
    httpStatus: 409,
    retry: 'never',
    family: 'time',
    publicMessage: 'The call was cancelled.',
    next: 'Nothing; call again if it is still wanted.',
  },
  outcome_unknown: {
    httpStatus: 504,
    retry: 'never',
    family: 'time',
    publicMessage: 'The call was sent, but nobody knows whether the tool ran.',
    next: 'Check at the vendor before you call again: the tool has side effects and may have run.',
  },

  queue_unavailable: {
    httpStatus: 503,
    retry: 'after_delay',
    family: 'platform',
    publicMessage: 'The queue is not reachable.',
    next: 'Try again; nothing was sent to the upstream.',
  },
  dependency_unavailable: {
    httpStatus: 503,
    retry: 'after_delay',
    family: 'platform',
    publicMessage: 'A part of the platform is not reachable.',
    next: 'Try again later.',
  },
  internal: {
    httpStatus: 500,
    retry: 'never',
    family: 'platform',
    publicMessage: 'Something went wrong inside the platform.',
    next: 'Give the call id to an operator; the logs have the cause.',
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorCatalog;

export const ErrorCodeSchema = z.enum(Object.keys(errorCatalog) as [ErrorCode, ...ErrorCode[]]);

/** The serializable form of an error: part of outcomes, answers and the ledger. Holds public text only. */
export const ErrorInfo = z.strictObject({
  code: ErrorCodeSchema,
  message: z.string(),
  /** Facts for programs, such as schema errors, sizes and limits. Never a secret. */
  details: z.record(z.string(), z.unknown()).optional(),
  retryAfterMs: z.number().int().nonnegative().optional(),
});
export type ErrorInfo = z.infer<typeof ErrorInfo>;

export type PlatformErrorOptions = {
  /** Appended to the catalog's public message: must be fit for the caller's eyes. */
  message?: string;
  details?: Record<string, unknown>;
  retryAfterMs?: number;
  /** What the reader of a problem document should do next, where the catalog's advice does not fit. */
  next?: string;
  /** For redacted logs only. */
  cause?: unknown;
};

/** The one error class of the platform. Switch on `code`; `message` is public, `cause` is not. */
export class PlatformError extends Error {
  override readonly name = 'PlatformError';
  readonly details?: Record<string, unknown>;
  readonly retryAfterMs?: number;
  readonly next?: string;

  constructor(
    readonly code: ErrorCode,
    options: PlatformErrorOptions = {},
  ) {
    const { publicMessage } = errorCatalog[code];
    super(options.message ? `${publicMessage} ${options.message}` : publicMessage, { cause: options.cause });
    this.details = options.details;
    this.retryAfterMs = options.retryAfterMs;
    this.next = options.next;
  }

  /** The serializable form, without cause and stack. */
  toInfo(): ErrorInfo {
    return {
      code: this.code,
      message: this.message,
      ...(this.details && { details: this.details }),
      ...(this.retryAfterMs !== undefined && { retryAfterMs: this.retryAfterMs }),
    };
  }

  /** Rebuilds an error from an outcome or an answer. The message is taken as it is. */
  static fromInfo(info: ErrorInfo): PlatformError {
    const error = new PlatformError(info.code, { details: info.details, retryAfterMs: info.retryAfterMs });
    error.message = info.message;
    return error;
  }
}

/** Any thrown value as a `PlatformError`: itself, or `internal` with the value as its cause. */
export function toPlatformError(thrown: unknown): PlatformError {
  return thrown instanceof PlatformError ? thrown : new PlatformError('internal', { cause: thrown });
}
