import type { ChatTool } from '../wire/chat-request.js';

/** What a tool is known by in plain text. */
export type ToolWords = {
  readonly tool: ChatTool;
  /** Names that stand for it as they are: `notes_add`, and `add` without the integration's slug. */
  readonly names: readonly string[];
  /** Sets of words that stand for it together, in any order: of its title, of its name. */
  readonly phrases: readonly (readonly string[])[];
};

const titleLength = 60;

export function toolWords(tool: ChatTool): ToolWords {
  const { name, description = '' } = tool.function;
  const bare = name.slice(name.indexOf('_') + 1);
  const phrases = [titleOf(description), bare, name].map(wordsOf).filter((words) => words.length > 1);
  return { tool, names: [...new Set([name, bare])], phrases };
}

/** Lower case, split at what is no letter or digit, and within camelCase. */
export function wordsOf(text: string): string[] {
  return text
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

/** A short first line with an empty one after it is the title. */
function titleOf(description: string): string {
  const [first = '', second] = description.split('\n');
  return second === '' && first.length <= titleLength ? first : '';
}
