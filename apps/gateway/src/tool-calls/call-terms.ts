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

/**
 * The key as it is kept. What a caller may reach at the address of a toolset, or by an OAuth client, is another's than
 * what they may reach themselves, so their keys are apart. And each round of a call that asks its client is a call of its
 * own, whose key is the client's and what it answered.
 */
export function roundKeyOf({ idempotencyKey, caller, resume }: CallRequest): string | undefined {
  if (idempotencyKey === undefined) return undefined;
  const { toolsetId, oauthGrantId } = caller;
  const isOwn = toolsetId === undefined && oauthGrantId === undefined;
  const key = isOwn
    ? idempotencyKey
    : `${sha256([toolsetId ?? null, oauthGrantId ?? null, idempotencyKey])}:`;
  return resume ? `${sha256(key)}:${sha256(resume)}` : key;
}

function sha256(content: unknown): string {
  const text = typeof content === 'string' ? content : canonicalJson(content);
  return createHash('sha256').update(text).digest('base64url');
}
