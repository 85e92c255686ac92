import { LOG_LEVEL_META_KEY, type CallToolRequestOptions, type Client } from '@modelcontextprotocol/client';
import type { ToolResult, WireTool } from '@switchyard/contracts';
import { UpstreamError } from '../failures/upstream-error.js';
import type { Exchange, ExchangeOptions, LogListener } from './exchange.js';
import { monotone, type ProgressListener } from './monotone-progress.js';
import { readToolResult, withoutHopKeys } from './read-tool-result.js';

export type ToolCallOptions = {
  name: string;
  arguments: Record<string, unknown>;
  /** The caller's `_meta`. Keys of the hop between caller and us are left out. */
  meta?: Record<string, unknown>;
  timeoutMs: number;
  signal?: AbortSignal;
  onProgress?: ProgressListener;
  /** Log messages that the server sends for this call. */
  onLog?: LogListener;
  /** W3C trace context, handed on in `_meta` and as an HTTP header. */
  traceparent?: string;
  /** The tool as listed: needed only where its schema mirrors arguments into headers (`x-mcp-header`). */
  tool?: WireTool;
};

/** What the SDK sees in place of a tool's result. */
export function resultStandIn(): Record<string, unknown> {
  return { resultType: 'complete', content: [] };
}

/** How the exchange of a call is opened. */
export function callExchange(call: ToolCallOptions): ExchangeOptions {
  const headers = call.traceparent ? { traceparent: call.traceparent } : undefined;
  const onProgress = call.onProgress && monotone(call.onProgress);
  return { standIn: resultStandIn, headers, onLog: call.onLog, onProgress };
}

/** Calls a tool within an exchange that was opened with `callExchange`. */
export async function callTool(
  client: Client,
  exchange: Exchange,
  call: ToolCallOptions,
  signal: AbortSignal,
): Promise<ToolResult> {
  const meta = metaOf(client, call);
  const params = {
    name: call.name,
    arguments: call.arguments,
    ...(Object.keys(meta).length > 0 && { _meta: meta }),
  };
  const options: CallToolRequestOptions = {
    timeout: call.timeoutMs,
    signal,
    toolDefinition: { name: call.name, inputSchema: { type: 'object', ...call.tool?.inputSchema } } as never,
    // Makes the SDK ask for progress, under a token of its own; the exchange is told of it.
    ...(call.onProgress && { onprogress: () => undefined }),
  };
  await client.callTool(params, options);
  const read = readToolResult(exchange.result);
  if ('failure' in read) throw new UpstreamError(read.failure);
  return read.result;
}

function metaOf(client: Client, { meta, traceparent, onLog }: ToolCallOptions): Record<string, unknown> {
  return {
    ...withoutHopKeys(meta),
    ...(traceparent && { traceparent }),
    // A modern server logs only what a request asks for.
    ...(onLog && client.getProtocolEra() === 'modern' && { [LOG_LEVEL_META_KEY]: 'debug' }),
  };
}
