import { type ChatMessage, textOf } from '../wire/chat-request.js';
import { dataWithin } from './without-data.js';

const quotedLength = 300;
const mostQuoted = 5;

/** A sentence or two on the tool results at the end of a conversation, each quoted. */
export function summarizeResults(messages: readonly ChatMessage[]): string {
  const turn = messages.findLastIndex(({ role }) => role === 'assistant');
  const asking = messages[turn];
  const names = new Map(
    asking?.role === 'assistant'
      ? asking.tool_calls?.map((call) => [call.id, call.function.name] as const)
      : [],
  );
  const said = messages
    .slice(turn + 1)
    .filter((message) => message.role === 'tool')
    .map((message) => `${names.get(message.tool_call_id) ?? 'The tool'} answered: ${quote(textOf(message))}`);
  const [only = ''] = said;
  if (said.length === 1) return only;
  const left = said.length - mostQuoted;
  const more = left > 0 ? ` And ${left} more.` : '';
  return `${said.length} tools answered. ${said.slice(0, mostQuoted).join(' ')}${more}`;
}

function quote(text: string): string {
  const flat = dataWithin(text).replaceAll(/\s+/g, ' ').trim();
  if (flat === '') return 'nothing.';
  return `“${flat.length > quotedLength ? `${flat.slice(0, quotedLength)}…` : flat}”.`;
}
