import type { ToolResult } from '@switchyard/contracts';

/** Where a result says that it is an earlier call's, and how old. */
export const cachedMetaKey = 'io.switchyard/cached';

/** The result with that mark; as it is, where it is fresh. */
export function withCacheMark(result: ToolResult, ageMs: number | undefined): ToolResult {
  if (ageMs === undefined) return result;
  const meta = { ...(result['_meta'] as object | undefined), [cachedMetaKey]: { age_ms: ageMs } };
  return { ...result, _meta: meta };
}
