import { type ChatMessage, type ChatRequest, lastOf, textOf } from '../wire/chat-request.js';
import type { TurnMatcher } from './script.js';

/** What a template of the turn's answer is filled with. */
export type Captures = Readonly<Record<string, string>>;

/** What the turn's answer may quote when the turn applies to the request; undefined when it does not. */
export function matchTurn(when: TurnMatcher, request: ChatRequest): Captures | undefined {
  const lastUser = textOf(lastOf(request.messages, 'user'));
  const groups =
    when.last_user_matches === undefined ? [] : new RegExp(when.last_user_matches, 's').exec(lastUser);
  if (groups === null || !checks.every((holds) => holds(when, request, lastUser))) return undefined;
  const numbered = Object.fromEntries(groups.map((group, index) => [String(index), group ?? '']));
  return { ...numbered, last_user: lastUser, last_result: textOf(lastOf(request.messages, 'tool')) };
}

type Check = (when: TurnMatcher, request: ChatRequest, lastUser: string) => boolean;

const checks: readonly Check[] = [
  ({ last_user: text }, _request, lastUser) => text === undefined || lastUser.includes(text),
  ({ contains: text }, { messages }) =>
    text === undefined || messages.some((message) => textOf(message).includes(text)),
  ({ last_role: role }, { messages }) => role === undefined || messages.at(-1)?.role === role,
  ({ step }, { messages }) => step === undefined || stepOf(messages) === step,
  ({ result_of: name }, { messages }) => name === undefined || lastResultsOf(messages).includes(name),
  ({ offers_tool: name }, request) => name === undefined || offers(request, name),
  ({ offers_no_tool: name }, request) => name === undefined || !offers(request, name),
];

function offers({ tools = [] }: ChatRequest, name: string): boolean {
  return tools.some((tool) => tool.function.name === name);
}

function stepOf(messages: readonly ChatMessage[]): number {
  const from = messages.findLastIndex(({ role }) => role === 'user');
  return messages.slice(from + 1).filter(({ role }) => role === 'assistant').length;
}

/** Names of the tools whose results end the conversation. */
function lastResultsOf(messages: readonly ChatMessage[]): string[] {
  if (messages.at(-1)?.role !== 'tool') return [];
  const asking = messages.findLast((message) => message.role === 'assistant');
  return asking?.tool_calls?.map((call) => call.function.name) ?? [];
}
