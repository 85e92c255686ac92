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
  const name = `${slug}_${tool}`.replace(foreign, '_');
  return name.length <= maxLength ? name : withSuffix(name, `${slug}_${tool}`);
}

/**
 * Unique outward names of one integration's tools, by the upstream's name. Where two meet, the tool that comes later
 * in the list takes a hash suffix, so give them in the order in which they were first seen, vanished ones included:
 * then a name that somebody uses never moves to another tool. Integrations never meet, as a slug holds no `_`.
 */
export function outwardNames(slug: string, tools: Iterable<{ readonly name: string }>): Map<string, string> {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  for (const { name: tool } of tools) {
    let name = outwardName(slug, tool);
    for (let round = 0; taken.has(name); round++)
      name = withSuffix(name, `${slug}_${tool}${'\n'.repeat(round)}`);
    taken.add(name);
    names.set(tool, name);
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
