import type { UpstreamFailure } from '@switchyard/contracts';
import { bearerChallenge, publicChallenge } from './bearer-challenge.js';
import { failure, protocolFailure } from './failure.js';

/** An HTTP answer that is not a success. */
export type AnsweredStatus = {
  status: number;
  /** Whether the request named a session (`Mcp-Session-Id`, or the endpoint of an SSE session). */
  hadSession: boolean;
  retryAfterMs?: number;
  /** The beginning of the body. */
  body?: string;
  /** The header `WWW-Authenticate`. */
  challenge?: string | null;
};

/** What an HTTP status other than success says of a request (`design`, "Retries"). Pure. */
export function classifyStatus(answer: AnsweredStatus): UpstreamFailure {
  const { status, retryAfterMs } = answer;
  const details = { upstream_status: status };
  if (isSessionLost(answer))
    return failure('not_sent', 'upstream_unreachable', {
      ...details,
      reason: 'session_lost',
      sessionLost: true,
    });
  if (status === 401 || status === 403) return denied(answer);
  if (status === 429 || (status === 503 && retryAfterMs !== undefined)) {
    return failure('not_sent', 'upstream_rate_limited', details, retryAfterMs);
  }
  if (status >= 500)
    return failure('sent_no_answer', 'upstream_unreachable', { ...details, reason: 'server_error' });
  if (status < 400)
    return failure('answered', 'upstream_protocol_error', { ...details, reason: 'redirect_not_followed' });
  const rpc = rpcError(answer.body);
  const refused = rpc
    ? protocolFailure(rpc.code, rpc.message)
    : failure('answered', 'upstream_protocol_error');
  return { ...refused, error: { ...refused.error, details: { ...refused.error.details, ...details } } };
}

/**
 * 401: the credential was not taken, and nothing ran. 403 is the answer of somebody who knew the caller, and may say
 * which scopes it takes (RFC 6750, section 3.1).
 */
function denied({ status, challenge }: AnsweredStatus): UpstreamFailure {
  const asked = bearerChallenge(challenge);
  if (status === 403 && asked?.error === 'insufficient_scope')
    return failure('answered', 'scope_insufficient', { upstream_status: status, scopes: asked.scopes ?? [] });
  if (status === 403) return failure('answered', 'upstream_denied', { upstream_status: status });
  const kept = publicChallenge(challenge);
  return failure('not_sent', 'upstream_denied', {
    upstream_status: status,
    ...(kept && { challenge: kept }),
  });
}

/**
 * The specification says 404. Servers built from the SDK's own examples answer 400 and name the session in the
 * message; nothing ran there either, since the request found no session to run in.
 */
export function isSessionLost({ status, hadSession, body }: AnsweredStatus): boolean {
  if (!hadSession) return false;
  if (status === 404) return rpcError(body)?.code !== -32601;
  return (
    status === 400 && /session|not initialized/i.test(rpcError(body)?.message ?? body?.slice(0, 200) ?? '')
  );
}

/** The delay that a `Retry-After` header asks for, as seconds or as a date. At most a day. */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  if (!header) return undefined;
  const delay = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(delay) ? undefined : Math.min(Math.max(delay, 0), 86_400_000);
}

function rpcError(body: string | undefined): { code: number; message: string } | undefined {
  try {
    const { error } = JSON.parse(body ?? '') as { error?: { code?: unknown; message?: unknown } };
    if (typeof error?.code !== 'number') return undefined;
    return { code: error.code, message: typeof error.message === 'string' ? error.message : '' };
  } catch {
    return undefined;
  }
}
