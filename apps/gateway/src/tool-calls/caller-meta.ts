/** Keys that speak of one connection, or that travel in the job's envelope. */
const dropped = new Set(['progressToken', 'traceparent', 'tracestate', 'baggage']);

/** The part of a request's `_meta` that is meant for the tool: what vendors put there under names of their own. */
export function metaForTool(meta: Record<string, unknown> | undefined): Record<string, unknown> | undefined {
  if (!meta) return undefined;
  const kept = Object.entries(meta).filter(
    ([key]) => !dropped.has(key) && !/^io\.(modelcontextprotocol|switchyard)\//.test(key),
  );
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}

const traceparentForm = /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/;

/** The trace that a request belongs to: `_meta` (2026-07-28) before the HTTP header. */
export function traceparentOf(
  meta: Record<string, unknown> | undefined,
  header: unknown,
): string | undefined {
  return [meta?.['traceparent'], header].find(
    (value): value is string => typeof value === 'string' && traceparentForm.test(value),
  );
}
