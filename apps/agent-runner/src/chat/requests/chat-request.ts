import type { RequestFilter } from '@switchyard/access';
import { PlatformError } from '@switchyard/contracts';
import { parseBody } from '@switchyard/service-kit';
import { z } from 'zod';
import type { KnownMessage } from '../narration/narration.js';
import { type ApprovedTool, readApprovedTools } from './approved-tools.js';
import { type ClientDecision, readDecisions } from './client-message.js';

const mostBytes = 65_536;
const mostMessages = 2_000;

const AnyMessage = z.looseObject({
  id: z.string().max(256).default(''),
  role: z.string(),
  parts: z.array(z.looseObject({ type: z.string() })).max(5_000),
});
export type AnyMessage = z.output<typeof AnyMessage>;

const Message = z.looseObject({ id: z.string().max(256) });

const Body = z.looseObject({
  id: z.string().min(1).max(256).optional(),
  conversation_id: z.string().min(1).max(256).optional(),
  agent: z.string().min(1).max(128).optional(),
  message: z.union([z.string(), AnyMessage]).optional(),
  messages: z.array(z.unknown()).max(mostMessages).optional(),
  trigger: z.string().max(64).optional(),
  stream: z.boolean().optional(),
  await_approval: z.boolean().default(false),
  mcp_tools: z.array(z.unknown()).max(200).optional(),
  MCPTools: z.array(z.unknown()).max(200).optional(),
});

/** What the user does: says something, decides about calls, or approves of tools by name as request shape 001 has it. */
export type ChatTurn =
  | {
      readonly kind: 'message';
      readonly text: string;
      /** Of the client's message, and of the one before it: sent again, they are the same. */
      readonly ids?: readonly [string, string];
    }
  | {
      readonly kind: 'decisions';
      readonly messageId: string;
      readonly decisions: readonly ClientDecision[];
      readonly known: KnownMessage;
    }
  | { readonly kind: 'approved_tools'; readonly tools: readonly ApprovedTool[]; readonly approved: boolean };

export type ChatRequest = {
  readonly chatId: string | undefined;
  /** Slug or id; the conversation knows its own. */
  readonly agent: string | undefined;
  readonly streams: boolean | undefined;
  readonly holdsForApproval: boolean;
  /** Of the header: a message under a key that was used before is that one, sent again. */
  readonly idempotencyKey?: string;
  /** What a message narrows its run's tools to. */
  readonly filter?: RequestFilter;
  readonly turn: ChatTurn;
};

/**
 * What a client posts to a chat, in the form of `ai`'s transports or in the plain one. Of the messages that a client of `ai` holds only
 * the last one is read: what was said before, the server knows by itself.
 */
export function readChatRequest(value: unknown): ChatRequest {
  const body = parseBody(Body, value);
  return {
    chatId: body.conversation_id ?? body.id,
    agent: body.agent,
    streams: body.stream,
    holdsForApproval: body.await_approval,
    turn: turnOf(body),
  };
}

function turnOf(body: z.output<typeof Body>): ChatTurn {
  const approved = body.mcp_tools ?? body.MCPTools;
  if (approved)
    return { kind: 'approved_tools', tools: readApprovedTools(approved, body.messages), approved: true };
  if (body.trigger === 'regenerate-message')
    throw refused(
      'An answer is not made anew: its calls have been made. Say what should be different instead.',
    );
  const { message } = body;
  if (typeof message === 'string') return { kind: 'message', text: checkedText(message) };
  return lastWordOf(message ? [message] : body.messages);
}

/** What the last message of a client of `ai` says. */
function lastWordOf(messages: readonly unknown[] | undefined): ChatTurn {
  const last = AnyMessage.safeParse(messages?.at(-1));
  if (!last.success)
    throw refused('Send `message`, or `messages` that end with a message in the form of `ai`.');
  const { role, parts } = last.data;
  if (role === 'user') return { kind: 'message', text: textOf(parts), ids: idsOf(messages) };
  const decided = role === 'assistant' ? readDecisions(last.data) : undefined;
  if (!decided) throw refused('The last message is neither the user’s nor one with decisions about calls.');
  return { kind: 'decisions', messageId: last.data.id, ...decided };
}

/** Undefined where the message has none. What a user says twice comes after another answer the second time. */
function idsOf(messages: readonly unknown[] = []): [string, string] | undefined {
  const [before, last] = [messages.at(-2), messages.at(-1)].map(
    (message) => Message.safeParse(message).data?.id,
  );
  return last ? [before ?? '', last] : undefined;
}

function textOf(parts: AnyMessage['parts']): string {
  if (parts.some(({ type }) => type === 'file')) throw refused('Files are not taken; send text alone.');
  const texts = parts.map(({ type, text }) => (type === 'text' && typeof text === 'string' ? text : ''));
  return checkedText(texts.filter(Boolean).join('\n'));
}

function checkedText(text: string): string {
  if (text.trim() === '') throw refused('The message is empty.');
  if (Buffer.byteLength(text) > mostBytes)
    throw new PlatformError('payload_too_large', { message: `A message has at most ${mostBytes} bytes.` });
  return text;
}

function refused(message: string): PlatformError {
  return new PlatformError('invalid_request', { message });
}
