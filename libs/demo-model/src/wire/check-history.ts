import type { ChatMessage } from './chat-request.js';
import { OpenAiError } from './openai-error.js';

/**
 * Holds a conversation to the API's own rule: each call of an assistant's turn is answered by a tool message right
 * after it, and no tool message stands elsewhere. Whoever builds histories wrongly hears it here and not in production.
 */
export function checkHistory(messages: readonly ChatMessage[]): void {
  let open = new Set<string>();
  for (const [index, message] of messages.entries()) {
    if (message.role === 'tool') {
      if (!open.delete(message.tool_call_id)) throw strayToolMessage(index);
      continue;
    }
    if (open.size > 0) throw unanswered(open);
    open = new Set(message.role === 'assistant' ? message.tool_calls?.map(({ id }) => id) : []);
  }
  if (open.size > 0) throw unanswered(open);
}

function strayToolMessage(index: number): OpenAiError {
  return new OpenAiError(
    400,
    "Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls'.",
    { param: `messages.[${index}].role` },
  );
}

function unanswered(ids: ReadonlySet<string>): OpenAiError {
  return new OpenAiError(
    400,
    `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${[...ids].join(', ')}`,
    { param: 'messages' },
  );
}
