import { type ChatMessage, type ChatRequest, type ChatTool, lastOf, textOf } from '../wire/chat-request.js';
import { type AskedCall, type ModelAnswer, newCallId, textAnswer } from '../wire/model-answer.js';
import { findByName, findByWords, type Mention } from './find-named-tools.js';
import { readArguments } from './read-arguments.js';
import { summarizeResults } from './summarize-results.js';
import { withoutData } from './without-data.js';

/** Who speaks; its words never let anybody take it for a language model. */
export const demoModelWords = 'I am demo-1: a rule-based demonstration, not a language model.';

const mostTools = 40;
/** Characters of the user's message; nobody names a tool in the middle of a book. */
const mostRead = 20_000;
const asksForHelp = /\bwhat (?:can|could) you do\b|\bwhat (?:are )?your (?:tools|abilities)\b|^\s*help\b/i;

/**
 * The turn of the demonstration model: after tool results it sums them up, whatever stands behind them; else it calls
 * the tools that the user's last message names, lists the tools that it was given, or says what it can do. Text that
 * is framed as data is never read as a request.
 */
export function decideAnswer(request: ChatRequest): ModelAnswer {
  const { messages } = request;
  if (hasNewResults(messages)) return textAnswer(summarizeResults(messages));
  const tools = offeredTools(request);
  if (tools.length === 0) return textAnswer(`${demoModelWords} I was given no tools, so I can only say so.`);
  const asked = withoutData(textOf(lastOf(messages, 'user'))).slice(0, mostRead);
  const forced = forcedTool(request, tools);
  const mentions = forced ? [{ tool: forced, at: 0, end: 0 }] : findByName(asked, tools);
  if (mentions.length > 0) return answerTo(asked, mentions, forced !== undefined);
  if (asksForHelp.test(asked) || asked.split(/[\n\r]/).some(asksForTools))
    return textAnswer(listTools(tools));
  return answerToWords(asked, tools);
}

/** “Which … tools” in a line, wherever they stand: the first such word is the only one to begin from. */
function asksForTools(line: string): boolean {
  const at = line.search(/\b(?:which|what|list|show)\b/i);
  return at >= 0 && /\btools\b/i.test(line.slice(at));
}

function answerToWords(asked: string, tools: readonly ChatTool[]): ModelAnswer {
  const [found, ...others] = findByWords(asked, tools);
  if (!found) return textAnswer(introduction(tools));
  if (others.length === 0) return answerTo(asked, [{ tool: found, at: 0, end: 0 }], false);
  const names = [found, ...others].map(nameOf).join(', ');
  return textAnswer(`Several tools fit: ${names}. Name the one that I should call.`);
}

/** The model's last turn asked for calls, and nothing but their results and somebody's words about them came since. */
function hasNewResults(messages: readonly ChatMessage[]): boolean {
  const last = messages.findLast((message) => message.role === 'assistant');
  return (last?.tool_calls?.length ?? 0) > 0;
}

function offeredTools({ tools = [], tool_choice: choice }: ChatRequest): readonly ChatTool[] {
  return choice === 'none' ? [] : tools;
}

function forcedTool({ tool_choice: choice }: ChatRequest, tools: readonly ChatTool[]): ChatTool | undefined {
  if (typeof choice !== 'object') return undefined;
  return tools.find((tool) => nameOf(tool) === choice.function.name);
}

/** Calls what is named, each with the arguments of its own part of the text; asks for what is missing instead. */
function answerTo(text: string, mentions: readonly Mention[], evenIncomplete: boolean): ModelAnswer {
  const read = mentions.map(({ tool }, index) => ({
    tool,
    ...readArguments(partOf(text, mentions, index), tool.function.parameters),
  }));
  const incomplete = read.find(({ missing }) => missing.length > 0);
  if (incomplete && !evenIncomplete) return textAnswer(askFor(incomplete.tool, incomplete.missing));
  const toolCalls = read.map(({ tool, values }): AskedCall => ({
    id: newCallId(),
    name: nameOf(tool),
    arguments: JSON.stringify(values),
  }));
  return { text: '', toolCalls };
}

/** What the text says of one tool: up to the next one that it names, and what stands before where it is the only one. */
function partOf(text: string, mentions: readonly Mention[], index: number): string {
  const { at = 0, end = 0 } = mentions[index] ?? {};
  const before = mentions.length === 1 ? text.slice(0, at).replace(/["'`“]$/, '') : '';
  const after = text
    .slice(end, mentions[index + 1]?.at)
    .replace(/^["'`”]/, '')
    .replace(/["'`“]$/, (quote) => (index + 1 < mentions.length ? '' : quote));
  return `${before} ${after}`;
}

function askFor(tool: ChatTool, missing: readonly string[]): string {
  const example = missing.map((name) => `${name}="…"`).join(' ');
  return `To call ${nameOf(tool)} I need ${missing.join(', ')}. Write it as JSON or as ${nameOf(tool)} ${example}`;
}

function listTools(tools: readonly ChatTool[]): string {
  const lines = tools
    .slice(0, mostTools)
    .map((tool) => `- ${nameOf(tool)}: ${firstSentence(tool.function.description)}`);
  const more = tools.length > mostTools ? [`… and ${tools.length - mostTools} more.`] : [];
  return [
    `${demoModelWords} I was given ${count(tools.length)} and can call the one that you name:`,
    ...lines,
    ...more,
  ].join('\n');
}

function introduction(tools: readonly ChatTool[]): string {
  const example = nameOf(tools[0] as ChatTool);
  return `${demoModelWords} I can list the ${count(tools.length)} that I was given (ask “what can you do?”), call the one that you name (“call ${example} …”, with arguments as JSON, as key=value or in quotes), and sum up what it answers.`;
}

function count(tools: number): string {
  return tools === 1 ? '1 tool' : `${tools} tools`;
}

function nameOf(tool: ChatTool): string {
  return tool.function.name;
}

function firstSentence(description = ''): string {
  const flat = description.replaceAll(/\s+/g, ' ').trim();
  return (/^.{1,160}?[.!?](?=\s|$)/.exec(flat)?.[0] ?? flat.slice(0, 160)) || 'no description';
}
