import {
  errorBody,
  errorCatalog,
  ErrorInfo,
  errorMetaKey,
  type ToolCallOutcome,
  type ToolResult,
} from '@switchyard/contracts';

/** A tool's declaration, as far as its results depend on it. */
type Declared = { readonly outputSchema?: unknown };

/** How a call ended, as the result of `tools/call`. A failure is a result too, so that the model can react to it. */
export function outcomeToMcp(outcome: ToolCallOutcome, tool: Declared): ToolResult {
  switch (outcome.status) {
    case 'completed':
      return withRefusal(withoutHopMeta(complete(outcome.result)), outcome);
    case 'failed':
    case 'expired':
    case 'cancelled':
    case 'denied':
    case 'outcome_unknown':
      return errorToMcp(outcome.error, { tool, callId: outcome.callId });
  }
}

/**
 * An error as a result with `isError`. Clients of SDK 1.x check structured content against the tool's schema even
 * then, so where there is a schema the object moves to `_meta`.
 */
export function errorToMcp(error: ErrorInfo, call: { tool?: Declared; callId?: string }): ToolResult {
  const body = errorBody(error, call.callId);
  return {
    content: [{ type: 'text', text: JSON.stringify(body) }, ...inWords(error)],
    ...(call.tool?.outputSchema === undefined
      ? { structuredContent: body }
      : { _meta: { [errorMetaKey]: body } }),
    isError: true,
  };
}

/** Where a person has to do something, a client that shows nothing but text shows what, and where. */
function inWords({ message, code, details }: ErrorInfo): { type: 'text'; text: string }[] {
  const url = details?.['reauth_url'] ?? details?.['approval_url'];
  if (typeof url !== 'string') return [];
  const next = errorCatalog[code].next.replace('reauth_url', url);
  return [{ type: 'text', text: `${message} ${next.includes(url) ? next : `${next} ${url}`}` }];
}

/** A tool's own error result that came of a question which its client could not be asked says so, as other errors do. */
function withRefusal(
  result: ToolResult,
  { callId, result: given }: Extract<ToolCallOutcome, { status: 'completed' }>,
): ToolResult {
  const meta = given['_meta'] as Record<string, unknown> | undefined;
  const { data: error } = ErrorInfo.safeParse(meta?.[errorMetaKey]);
  if (given.isError !== true || error?.code !== 'client_capability_missing') return result;
  const kept = result['_meta'] as object | undefined;
  return { ...result, _meta: { ...kept, [errorMetaKey]: errorBody(error, callId) } };
}

/** `content` is required by all revisions. */
function complete(result: ToolResult): ToolResult {
  return result.content === undefined ? { ...result, content: [] } : result;
}

/** The result as it came, less what the upstream said to us as its client. */
export function withoutHopMeta<R extends Record<string, unknown>>(result: R): R {
  const meta = result['_meta'];
  if (typeof meta !== 'object' || meta === null) return result;
  const kept = Object.entries(meta).filter(([key]) => !isHopScoped(key));
  if (kept.length === Object.keys(meta).length) return result;
  const { _meta: _, ...rest } = result;
  return (kept.length > 0 ? { ...rest, _meta: Object.fromEntries(kept) } : rest) as R;
}

/** Keys of the protocol itself speak of one connection, and ours are not a vendor's to set. */
function isHopScoped(key: string): boolean {
  return key.startsWith('io.modelcontextprotocol/') || key.startsWith('io.switchyard/');
}
