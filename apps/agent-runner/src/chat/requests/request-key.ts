import { digestOf } from '../../digest-of.js';
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
  const digest = digestOf(JSON.stringify([agent, chatId, turn.text, filter]));
  if (idempotencyKey !== undefined)
    return { key: `header:${digestOf(idempotencyKey)}`, digest, isImplicit: false };
  if (chatId === null || !turn.ids) return undefined;
  const named = JSON.stringify([conversationId, ...turn.ids, digest]);
  return { key: `message:${digestOf(named)}`, digest, isImplicit: true };
}
