import type { ChatTool } from '../wire/chat-request.js';
import { toolWords, wordsOf, type ToolWords } from './tool-words.js';

/** A tool and where in the text it is named. */
export type Mention = { readonly tool: ChatTool; readonly at: number; readonly end: number };

export type NamedTools =
  | { readonly kind: 'named'; readonly mentions: readonly Mention[] }
  /** The words fit several tools equally well. */
  | { readonly kind: 'ambiguous'; readonly tools: readonly ChatTool[] }
  | { readonly kind: 'none' };

/**
 * The tools that a text names, in the order in which it does: by full name, by the name without the integration's
 * slug where one tool alone has it, else by the words of a title or a name where they fit one tool better than any
 * other.
 */
export function findNamedTools(text: string, tools: readonly ChatTool[]): NamedTools {
  const known = tools.map(toolWords);
  const mentions = byName(text, known);
  if (mentions.length > 0) return { kind: 'named', mentions: mentions.sort((a, b) => a.at - b.at) };
  return byWords(text, known);
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

function byWords(text: string, known: readonly ToolWords[]): NamedTools {
  const said = new Set(wordsOf(text));
  const scored = known
    .map(({ tool, phrases }) => ({ tool, score: Math.max(0, ...phrases.map((words) => fit(words, said))) }))
    .filter(({ score }) => score > 0);
  const best = Math.max(0, ...scored.map(({ score }) => score));
  const winners = scored.filter(({ score }) => score === best).map(({ tool }) => tool);
  const [winner] = winners;
  if (!winner) return { kind: 'none' };
  if (winners.length > 1) return { kind: 'ambiguous', tools: winners };
  return { kind: 'named', mentions: [{ tool: winner, at: 0, end: 0 }] };
}

/** How many words agree, or none: a phrase counts only as a whole. */
function fit(words: readonly string[], said: ReadonlySet<string>): number {
  return words.every((word) => said.has(word)) ? words.length : 0;
}
