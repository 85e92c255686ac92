import { type CallToolResult, ProtocolError, type Server } from '@modelcontextprotocol/server';
import { errorBody, type ErrorInfo, type ToolCallOutcome, type ToolResult } from '@switchyard/contracts';
import { z } from 'zod';
import { withCacheMark } from '../result-cache/cache-mark.js';
import type { NamedCall, Translated } from '../search/search-mode.service.js';
import { errorToMcp, outcomeToMcp } from '../tool-calls/outcome-to-mcp.js';
import type { CallTarget } from '../tool-calls/prepared-call.js';
import { callUpstream } from './call-upstream.js';
import { rpcCodes } from './json-rpc.js';
import { withOutwardUris } from './outward-uris.js';
import { parseParams } from './parse-params.js';
import { undeclaredBy } from './undeclared.js';
import type { CallExchange, CallParts } from './upstream-call.js';

const CallToolParams = z.looseObject({
  name: z.string().min(1),
  arguments: z.record(z.string(), z.unknown()).optional(),
  _meta: z.record(z.string(), z.unknown()).optional(),
});

/** A `tools/call` as it came. */
export type ToolExchange = Omit<CallExchange, 'wanted'> & {
  readonly params: unknown;
  /** Fits results to the era that it serves. */
  readonly server: Pick<Server, 'projectCallToolResult'>;
  readonly outward: (target: CallTarget) => (uri: string) => string;
};

/**
 * `tools/call` of both eras. A tool that the caller does not have is a protocol error, as the revisions say; all else
 * that goes wrong is a result, so that the model sees it.
 */
export async function callTool(parts: CallParts, exchange: ToolExchange): Promise<ToolResult> {
  const { server } = exchange;
  const {
    name,
    arguments: args = {},
    _meta: meta,
  } = parseParams('tools/call', CallToolParams, exchange.params);
  const meant = await meantBy(parts, exchange.frame, { name, arguments: args });
  if (meant.kind === 'result') return server.projectCallToolResult(meant.result as CallToolResult, undefined);
  if (meant.kind === 'refused') return refused(name, meant.error);
  const { kind: _, ...call } = meant;
  const end = await callUpstream(parts, { ...exchange, wanted: { method: 'tools/call', ...call, meta } });
  if (end.kind === 'input_required') return { ...end.result };
  if (end.kind === 'ended') {
    const outcome = refuseUndeclared(end.outcome, exchange);
    const outward = withOutwardUris(outcomeToMcp(outcome, end.tool.wire), exchange.outward(end.tool));
    const result = withCacheMark(outward, end.ageMs);
    return server.projectCallToolResult(result as CallToolResult, end.tool.wire.outputSchema);
  }
  return refused(call.name, end.error, end.tool);
}

/** Where a catalog is too large to be listed, its tools are called by way of a few others. */
async function meantBy(
  { searchMode }: CallParts,
  { caller, filter }: CallExchange['frame'],
  call: NamedCall,
): Promise<Translated> {
  return searchMode.isOn(caller) ? searchMode.translate({ caller, filter }, call) : { kind: 'call', ...call };
}

function refused(name: string, error: ErrorInfo, tool?: CallTarget): ToolResult {
  if (error.code !== 'tool_not_found') return errorToMcp(error, { tool: tool?.wire });
  throw new ProtocolError(rpcCodes.invalidParams, `Unknown tool: ${name}`, errorBody(error));
}

/**
 * An upstream that needs a capability of its client says -32021 of us. Where our own client did not declare it either,
 * that is the answer to it too; where it did, the failure stays ours.
 */
function refuseUndeclared(
  outcome: ToolCallOutcome,
  exchange: Pick<CallExchange, 'context' | 'frame'>,
): ToolCallOutcome {
  const error = outcome.status === 'failed' ? undeclaredBy(outcome.error, exchange) : undefined;
  return error && outcome.status === 'failed' ? { ...outcome, error } : outcome;
}
