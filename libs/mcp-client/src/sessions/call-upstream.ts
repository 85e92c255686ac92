import {
  CLIENT_CAPABILITIES_META_KEY,
  LOG_LEVEL_META_KEY,
  type CallToolRequestOptions,
  type Client,
} from '@modelcontextprotocol/client';
import {
  type CallResume,
  errorMetaKey,
  type ToolResult,
  type UpstreamMethod,
  type WireTool,
} from '@switchyard/contracts';
import { failure } from '../failures/failure.js';
import { UpstreamError } from '../failures/upstream-error.js';
import type { Exchange, ExchangeOptions, LogListener } from './exchange.js';
import { isLoggedAt, type LogLevel } from './log-levels.js';
import { monotone, type ProgressListener } from './monotone-progress.js';
import type { AskCapabilities, QuestionListener } from './questions.js';
import { readResult, withoutHopKeys } from './read-result.js';

/** What an upstream is asked to do for a caller. */
export type UpstreamCallOptions = {
  /** `tools/call` where absent. */
  method?: UpstreamMethod;
  /** Of the tool or prompt; of a resource its URI. Of no account for `completion/complete`. */
  name: string;
  /** Of the tool or prompt; for `completion/complete` all of its parameters (`ref`, `argument`, `context`). */
  arguments: Record<string, unknown>;
  /** The caller's `_meta`. Keys of the hop between caller and us are left out. */
  meta?: Record<string, unknown>;
  /** Keys of ours beside it, which a caller cannot set. */
  ownMeta?: Record<string, unknown>;
  timeoutMs: number;
  signal?: AbortSignal;
  onProgress?: ProgressListener;
  /** Log messages that the server sends for this call, from `logLevel` on (by default all). */
  onLog?: LogListener;
  logLevel?: LogLevel;
  /** What the caller's client declared; a legacy server was told when the session was opened (`ConnectOptions`). */
  capabilities?: AskCapabilities;
  /** Answers what a legacy server asks the caller's client meanwhile. Without it every question is refused. */
  onQuestion?: QuestionListener;
  /** Other notifications for the caller's client. */
  onNotification?: (method: string, params: Record<string, unknown>) => void;
  /** The client's answers to an `input_required` result of the same call before. */
  resume?: CallResume;
  /** W3C trace context, handed on in `_meta` and as an HTTP header. */
  traceparent?: string;
  /** The tool as listed: needed only where its schema mirrors arguments into headers (`x-mcp-header`). */
  tool?: WireTool;
};

/** What the SDK sees in place of a result: it drops what its schemas do not know, and refuses what they do not like. */
const standIns: Record<UpstreamMethod, Record<string, unknown>> = {
  'tools/call': { content: [] },
  'prompts/get': { messages: [] },
  'resources/read': { contents: [], ttlMs: 0, cacheScope: 'private' },
  'completion/complete': { completion: { values: [] } },
};

/** How the exchange of a call is opened. */
export function callExchange(call: UpstreamCallOptions): ExchangeOptions {
  const { method = 'tools/call', onLog, logLevel = 'debug', capabilities, onQuestion, onNotification } = call;
  const headers = call.traceparent ? { traceparent: call.traceparent } : undefined;
  const onProgress = call.onProgress && monotone(call.onProgress);
  const standIn = () => ({ resultType: 'complete', ...standIns[method] });
  const wanted: LogListener | undefined =
    onLog && ((message) => isLoggedAt(message.level, logLevel) && onLog(message));
  return {
    ...{ isCall: true, standIn, headers, onLog: wanted, onProgress },
    ...{ capabilities, onQuestion, onNotification },
  };
}

/** Sends a call within an exchange that was opened with `callExchange`. */
export async function callUpstream(
  client: Client,
  exchange: Exchange,
  call: UpstreamCallOptions,
  signal: AbortSignal,
): Promise<ToolResult> {
  const { method = 'tools/call' } = call;
  const params = { ...paramsOf(method, call), ...call.resume, ...metaOf(client, call) };
  const options: CallToolRequestOptions = {
    timeout: call.timeoutMs,
    signal,
    // Makes the SDK ask for progress, under a token of its own; the exchange is told of it.
    ...(call.onProgress && { onprogress: () => undefined }),
  };
  if (method === 'tools/call') await callTool(client, params, { ...options, ...definitionOf(call) });
  else await client.request({ method, params } as never, options);
  const read = readResult(method, exchange.result);
  if ('failure' in read) throw new UpstreamError(read.failure);
  return withRefusal(read.result, exchange);
}

/** A tool may make a result of its own of a question that was refused: the refusal is told beside it. */
function withRefusal(result: ToolResult, { undeclared }: Exchange): ToolResult {
  if (!undeclared || result.isError !== true) return result;
  const { error } = failure('answered', 'client_capability_missing', { required_capabilities: undeclared });
  return { ...result, _meta: { ...(result['_meta'] as object | undefined), [errorMetaKey]: error } };
}

async function callTool(client: Client, params: object, options: CallToolRequestOptions): Promise<void> {
  await client.callTool(params as never, options);
}

function definitionOf({ name, tool }: UpstreamCallOptions): CallToolRequestOptions {
  return {
    toolDefinition: { name, inputSchema: { type: 'object', ...tool?.inputSchema } } as never,
  };
}

function paramsOf(method: UpstreamMethod, { name, arguments: args }: UpstreamCallOptions): object {
  if (method === 'resources/read') return { uri: name };
  return method === 'completion/complete' ? args : { name, arguments: args };
}

function metaOf(client: Client, call: UpstreamCallOptions): { _meta?: Record<string, unknown> } {
  const meta = {
    ...withoutHopKeys(call.meta),
    ...call.ownMeta,
    ...(call.traceparent && { traceparent: call.traceparent }),
    ...(client.getProtocolEra() === 'modern' && modernMeta(call)),
  };
  return Object.keys(meta).length > 0 ? { _meta: meta } : {};
}

/** A modern server is told with each request what the client can, and logs only what a request asks for. */
function modernMeta({ onLog, logLevel = 'debug', capabilities }: UpstreamCallOptions): object {
  return {
    ...(onLog && { [LOG_LEVEL_META_KEY]: logLevel }),
    ...(capabilities && { [CLIENT_CAPABILITIES_META_KEY]: capabilities }),
  };
}
