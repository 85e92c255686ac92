import type { UpstreamFailure } from '@switchyard/contracts';

export type SessionFacts = {
  /** The server forgot the session, or its process or stream ended. */
  isLost: boolean;
  /** The session was there before this use of it. */
  isReused: boolean;
  /** The server's era was believed, not asked. */
  adoptedEra: boolean;
  /** What failed may be done twice. */
  safe: boolean;
};

const UNSUPPORTED_PROTOCOL_VERSION = -32022;
const GONE = new Set<unknown>(['connection_refused', 'connection_lost', 'session_lost', 'unreachable']);

/** Whether the failure is the session's rather than the upstream's, and what failed may be tried again. Pure. */
export function isWorthANewSession(failure: UpstreamFailure, facts: SessionFacts): boolean {
  const details = failure.error.details ?? {};
  if (failure.failureClass === 'answered') {
    return (facts.adoptedEra || facts.isReused) && isOfTheOtherEra(details);
  }
  if (failure.failureClass === 'sent_no_answer' && !facts.safe) return false;
  return failure.error.code === 'upstream_unreachable' && isOfTheSession(details['reason'], facts);
}

/** A session that was just opened and fails tells of the server; one that was there before may be to blame itself. */
function isOfTheSession(reason: unknown, { isLost, isReused }: SessionFacts): boolean {
  return isLost || reason === 'session_lost' || (isReused && GONE.has(reason));
}

/** A server that was replaced by one of the other era refuses our requests before it looks into them. */
function isOfTheOtherEra(details: Record<string, unknown>): boolean {
  if (details['upstream_code'] === UNSUPPORTED_PROTOCOL_VERSION) return true;
  const says = String(details['upstream_message'] ?? '');
  return details['upstream_status'] === 400 && /protocol version|not initialized|session id/i.test(says);
}
