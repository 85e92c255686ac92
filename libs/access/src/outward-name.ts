import { createHash } from 'node:crypto';

const maxLength = 64;
const suffixLength = 9;

/** What model providers accept in a tool's name. */
const foreign = /[^A-Za-z0-9_-]/g;

/**
 * The name by which callers know a tool: `<slug>_<tool>`, foreign characters as `_`, at most 64 characters; a
 * longer one is cut and ends in `_` and 8 hex digits of the SHA-256 of the full name. Depends on nothing else, but
 * two tools of one integration may get the same: `outwardNames` settles that.
 */
export function outwardName(slug: string, tool: string): string {
  return bareName(`${slug}_${tool}`);
}

/** The name of a tool where names carry no slug: by the same rules. */
export function bareName(full: string): string {
  const name = full.replace(foreign, '_');
  return name.length <= maxLength ? name : withSuffix(name, full);
}

/**
 * Unique outward names of one integration's tools, by the upstream's name. Where two meet, the tool that comes later
 * in the list takes a hash suffix, so give them in the order in which they were first seen, vanished ones included:
 * then a name that somebody uses never moves to another tool. Integrations never meet, as a slug holds no `_`.
 */
export function outwardNames(slug: string, tools: Iterable<{ readonly name: string }>): Map<string, string> {
  return uniqueNames(
    Array.from(tools, ({ name: tool }) => ({
      key: tool,
      name: outwardName(slug, tool),
      full: `${slug}_${tool}`,
    })),
  );
}

/** A name for each key: the wanted one for who comes first, for others that with a hash of `full`. */
export function uniqueNames<K>(
  wanted: readonly { readonly key: K; readonly name: string; readonly full: string }[],
): Map<K, string> {
  const names = new Map<K, string>();
  const taken = new Set<string>();
  for (const { key, name: first, full } of wanted) {
    let name = first;
    for (let round = 0; taken.has(name); round++) name = withSuffix(name, `${full}${'\n'.repeat(round)}`);
    taken.add(name);
    names.set(key, name);
  }
  return names;
}

function withSuffix(name: string, full: string): string {
  const hash = createHash('sha256')
    .update(full)
    .digest('hex')
    .slice(0, suffixLength - 1);
  return `${name.slice(0, maxLength - suffixLength)}_${hash}`;
}
