import { createHash } from 'node:crypto';
import type { ChatRequest } from './chat-request.js';

/** By what a message that is sent again is known, and what must be the same in it then. */
export type RequestKey = {
  readonly key: string;
  readonly digest: string;
  /** Nobody has promised that it is unique: it holds while its run is the last word of its conversation. */
  readonly isImplicit: boolean;
};

/**
 * By the header `Idempotency-Key`, else by the ids that a client of `ai` gives its messages, which say the same of the same text
 * alone. Undefined: every request is a new one.
 */
export function requestKeyOf(request: ChatRequest, conversationId: string): RequestKey | undefined {
  const { turn, agent = null, chatId = null, filter = null, idempotencyKey } = request;
  if (turn.kind !== 'message') return undefined;
  const digest = sha256([agent, chatId, turn.text, filter]);
  if (idempotencyKey !== undefined)
    return { key: `header:${sha256([idempotencyKey])}`, digest, isImplicit: false };
  if (chatId === null || !turn.ids) return undefined;
  return { key: `message:${sha256([conversationId, ...turn.ids, digest])}`, digest, isImplicit: true };
}

function sha256(content: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}
