import type { ChatTool } from '../wire/chat-request.js';
import { toolWords, wordsOf, type ToolWords } from './tool-words.js';

/** A tool and where in the text it is named. */
export type Mention = { readonly tool: ChatTool; readonly at: number; readonly end: number };

/**
 * The tools that a text names, in the order in which it does: by full name, or by the name without the integration's
 * slug where one tool alone has it.
 */
export function findByName(text: string, tools: readonly ChatTool[]): Mention[] {
  return byName(text, tools.map(toolWords)).sort((a, b) => a.at - b.at);
}

/** The tools whose title or name has all of its words in the text, where no other has more of them: one, if it is clear. */
export function findByWords(text: string, tools: readonly ChatTool[]): ChatTool[] {
  const said = new Set(wordsOf(text));
  const scored = tools
    .map(toolWords)
    .map(({ tool, phrases }) => ({ tool, score: Math.max(0, ...phrases.map((words) => fit(words, said))) }));
  const best = Math.max(1, ...scored.map(({ score }) => score));
  return scored.filter(({ score }) => score === best).map(({ tool }) => tool);
}

function byName(text: string, known: readonly ToolWords[]): Mention[] {
  const owners = new Map<string, ToolWords[]>();
  for (const words of known)
    for (const name of words.names) owners.set(name, [...(owners.get(name) ?? []), words]);
  const mentions = new Map<ChatTool, Mention>();
  for (const { 0: token, index } of text.matchAll(/[A-Za-z0-9_-]+/g)) {
    const owner = ownerOf(token, owners.get(token) ?? []);
    if (owner && !mentions.has(owner.tool))
      mentions.set(owner.tool, { tool: owner.tool, at: index, end: index + token.length });
  }
  return [...mentions.values()];
}

/** A bare name that is a common word (`add`, `search`) names nothing: it needs a `_` or a `-` to be unmistakable. */
function ownerOf(token: string, owners: readonly ToolWords[]): ToolWords | undefined {
  const exact = owners.find(({ tool }) => tool.function.name === token);
  if (exact) return exact;
  return owners.length === 1 && /[_-]/.test(token) ? owners[0] : undefined;
}

/** How many words agree, or none: a phrase counts only as a whole. */
function fit(words: readonly string[], said: ReadonlySet<string>): number {
  return words.every((word) => said.has(word)) ? words.length : 0;
}
