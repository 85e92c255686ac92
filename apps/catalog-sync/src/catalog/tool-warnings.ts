/** Text that a model reads and a person does not see, or sees otherwise (security.md, attack 27). */
const hidden: Readonly<Record<string, RegExp>> = {
  hidden_tag_characters: /[\u{E0000}-\u{E007F}]/u,
  hidden_variation_selectors: /[\u{E0100}-\u{E01EF}]|[\u{FE00}-\u{FE0F}]{2,}/u,
  zero_width_characters: /[\u200B-\u200F\u2060-\u2064\uFEFF]{2,}|\u200B/u,
  bidirectional_overrides: /[\u202A-\u202E\u2066-\u2069]/u,
};

const mostWarnings = 20;

/**
 * What an admin should know of a tool before anybody's model reads it, each with where it was found. The tool itself is left
 * as it is: who approves it must see what the model would.
 */
export function toolWarnings(wire: object): string[] {
  const found = new Set<string>();
  visit(wire, '', (text, path) => {
    for (const [what, pattern] of Object.entries(hidden))
      if (pattern.test(text)) found.add(path === '' ? what : `${what} in ${path}`);
  });
  return [...found].slice(0, mostWarnings);
}

type Visitor = (text: string, path: string) => void;

/** The wire object's depth is bounded before (`tool-problem.ts`). Names of properties are text like any. */
function visit(value: unknown, path: string, see: Visitor): void {
  if (typeof value === 'string') see(value, path);
  else if (Array.isArray(value)) value.forEach((item) => visit(item, path, see));
  else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      see(key, path);
      visit(item, nameOf(path, key), see);
    }
  }
}

function nameOf(path: string, key: string): string {
  const plain = /^[\w$.-]{1,60}$/.test(key) ? key : '?';
  return path === '' ? plain : `${path}.${plain}`.slice(0, 200);
}
