import { createHash } from 'node:crypto';
import { canonicalJson } from '@switchyard/queue';
import { CallerLeft, type CallRequest, type CallTarget } from './prepared-call.js';

/** How long the call may take: as the caller says, else the tool, else the face, else the gateway. */
export function deadlineOf(request: CallRequest, tool: CallTarget, usualMs: number): number {
  return request.deadlineMs ?? tool.deadlineMs ?? request.usualDeadlineMs ?? usualMs;
}

/** Ends the wait, not the call, when the caller has waited long enough or is gone. */
export function patienceOf({ signal: caller }: CallRequest, waitMs: number) {
  const over = new AbortController();
  const leave = () => over.abort(new CallerLeft('disconnected'));
  const timer = setTimeout(leave, waitMs);
  if (caller?.aborted) leave();
  caller?.addEventListener('abort', leave, { once: true });
  const end = () => {
    clearTimeout(timer);
    caller?.removeEventListener('abort', leave);
  };
  return { signal: over.signal, end };
}

/** Each round of a call that asks its client is a call of its own, whose key is the client's and what it answered. */
export function roundKeyOf({ idempotencyKey, resume }: CallRequest): string | undefined {
  if (idempotencyKey === undefined || !resume) return idempotencyKey;
  const digest = createHash('sha256').update(canonicalJson(resume)).digest('base64url');
  return `${createHash('sha256').update(idempotencyKey).digest('base64url')}:${digest}`;
}
