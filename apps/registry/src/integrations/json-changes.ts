import { isDeepStrictEqual } from 'node:util';

/** What differs at one place of two JSON values. Without `before` it is new, without `after` it is gone. */
export type JsonChange = { readonly path: string; readonly before?: unknown; readonly after?: unknown };

/** Deeper than this, parts are compared as a whole. */
const deepest = 32;
/** More than these nobody reads one by one: the part that holds them is shown as a whole. */
const mostShown = 500;

/** The places where two JSON values differ, as JSON pointers (RFC 6901): the smallest parts that say it. */
export function jsonChanges(before: unknown, after: unknown): JsonChange[] {
  const changes = changesAt('', before, after, 0);
  return changes.length <= mostShown ? changes : [{ path: '', before, after }];
}

function changesAt(path: string, before: unknown, after: unknown, depth: number): JsonChange[] {
  const [left, right] = [membersOf(before), membersOf(after)];
  if (!left || !right || Array.isArray(before) !== Array.isArray(after) || depth >= deepest)
    return isDeepStrictEqual(before, after) ? [] : [{ path, before, after }];
  const names = new Set([...left.keys(), ...right.keys()]);
  return [...names].flatMap((name) => {
    const at = `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (!left.has(name)) return [{ path: at, after: right.get(name) }];
    if (!right.has(name)) return [{ path: at, before: left.get(name) }];
    return changesAt(at, left.get(name), right.get(name), depth + 1);
  });
}

function membersOf(value: unknown): Map<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : undefined;
}
