import { WireTool } from '@switchyard/contracts';
import { protocolFailure } from '../failures/failure.js';
import { UpstreamError } from '../failures/upstream-error.js';
import { isShallow } from './is-shallow.js';

export type ListLimits = { maxTools: number; maxPages: number; maxBytes: number };

export const DEFAULT_LIST_LIMITS: ListLimits = {
  maxTools: 20_000,
  maxPages: 2_000,
  maxBytes: 64 * 1024 * 1024,
};

/** One page as it came over the wire. */
export type FetchPage = (cursor: string | undefined) => Promise<unknown>;

/**
 * Every tool of every page, as wire objects. Tools that cannot be called (no name, no input schema, nested without end) are left out.
 * A cursor that comes back, too many pages, tools or bytes: `upstream_protocol_error`, the list never ends.
 */
export async function listTools(fetchPage: FetchPage, limits: ListLimits): Promise<WireTool[]> {
  const isUsable = (tool: unknown): tool is WireTool => WireTool.safeParse(tool).success && isShallow(tool);
  return listAll(fetchPage, limits, { key: 'tools', isUsable });
}

type Listed<T> = { key: string; isUsable: (item: unknown) => item is T };

/** Every usable item of every page, as `listTools` does for tools. */
export async function listAll<T>(fetchPage: FetchPage, limits: ListLimits, listed: Listed<T>): Promise<T[]> {
  const items: T[] = [];
  const seen = new Set<string>();
  let cursor: string | undefined;
  let bytes = 0;
  for (let page = 1; ; page++) {
    const { found, next, size } = readPage(await fetchPage(cursor), listed);
    bytes += size;
    for (const item of found) items.push(item);
    if (items.length > limits.maxTools || bytes > limits.maxBytes) throw neverEnds();
    if (next === undefined) return items;
    if (seen.has(next) || page >= limits.maxPages) throw neverEnds();
    seen.add(next);
    cursor = next;
  }
}

function readPage<T>(
  page: unknown,
  { key, isUsable }: Listed<T>,
): { found: T[]; next: string | undefined; size: number } {
  const { [key]: items, nextCursor } = (page ?? {}) as Record<string, unknown>;
  if (!Array.isArray(items)) throw new UpstreamError(protocolFailure(undefined, `the list has no ${key}`));
  const found = items.filter(isUsable);
  const next = typeof nextCursor === 'string' ? nextCursor : undefined;
  return { found, next, size: next === undefined ? 0 : JSON.stringify(found).length };
}

function neverEnds(): UpstreamError {
  const failure = protocolFailure(undefined, 'the list never ends');
  return new UpstreamError({
    ...failure,
    error: { ...failure.error, details: { ...failure.error.details, reason: 'list_never_ends' } },
  });
}
