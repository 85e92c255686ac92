import {
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server';
import type {
  CallerContext,
  ErrorInfo,
  ToolCallEvent,
  ToolCallOutcome,
  ToolResult,
} from '@switchyard/contracts';
import { PlatformError } from '@switchyard/contracts';
import { z } from 'zod';
import { metaForTool, traceparentOf } from '../tool-calls/caller-meta.js';
import type { UserToken } from '../auth/principal.js';
import { CallerLeft, type CallRequest } from '../tool-calls/prepared-call.js';
import { errorBody } from '../tool-calls/error-body.js';
import { errorToMcp, outcomeToMcp } from '../tool-calls/outcome-to-mcp.js';
import type { CallAnswer, ToolCallsService } from '../tool-calls/tool-calls.service.js';
import { askToConnect, connectAnswer, reconnectOf } from './ask-to-connect.js';
import type { Connections } from './connections.service.js';
import { rpcCodes } from './json-rpc.js';

const maxRequestIdLength = 128;

const CallToolParams = z.looseObject({
  name: z.string().min(1),
  arguments: z.record(z.string(), z.unknown()).optional(),
  _meta: z.record(z.string(), z.unknown()).optional(),
});

/** What a `tools/call` brings besides its JSON-RPC message. */
export type CallFrame = {
  readonly caller: CallerContext;
  readonly userToken?: UserToken;
  /** What a client of the handshake revisions declared at `initialize`. */
  readonly clientCapabilities?: Record<string, unknown>;
  /** Checked before. */
  readonly idempotencyKey: string | undefined;
  readonly traceparent: string | undefined;
  /** Aborts with `CallerLeft`. Without it, the end of the exchange says that the caller has disconnected. */
  readonly signal?: AbortSignal;
};

type CallExchange = {
  readonly params: unknown;
  readonly context: Pick<ServerContext, 'mcpReq'>;
  readonly frame: CallFrame;
  /** Fits results to the era that it serves. */
  readonly server: Pick<Server, 'projectCallToolResult'>;
};

/** What `tools/call` needs of the gateway. */
export type CallParts = { readonly toolCalls: ToolCallsService; readonly connections: Connections };

/** How long a client's retry waits for its user, who may still be at the vendor's page. */
const connectPatienceMs = 25_000;

/**
 * `tools/call` of both eras. A tool that the caller does not have is a protocol error, as the revisions say; all else
 * that goes wrong is a result, so that the model sees it.
 */
export async function callTool(parts: CallParts, exchange: CallExchange): Promise<ToolResult> {
  const { context, frame, server } = exchange;
  const parsed = CallToolParams.safeParse(exchange.params);
  if (!parsed.success) throw invalidParams(parsed.error);
  const { name, arguments: args = {}, _meta: meta } = parsed.data;
  const request: CallRequest = {
    caller: frame.caller,
    userToken: frame.userToken,
    tool: name,
    arguments: args,
    meta: metaForTool(meta),
    idempotencyKey: frame.idempotencyKey,
    requestId: String(context.mcpReq.id).slice(0, maxRequestIdLength),
    onEvent: progressTo(context, meta?.['progressToken']),
    signal: frame.signal ?? leaving(context.mcpReq.signal),
  };
  const answer = await callOnceConnected(parts, request, {
    hasOpened: connectAnswer(context) === 'accept',
    traceparent: traceparentOf(meta, frame.traceparent),
  });
  const asking = connectAnswer(context) === undefined ? askFor(answer, exchange) : undefined;
  if (asking) return asking;
  if (answer.kind === 'ended') {
    refuseUndeclared(answer.outcome, context);
    const result = outcomeToMcp(answer.outcome, answer.tool.wire) as CallToolResult;
    return server.projectCallToolResult(result, answer.tool.wire.outputSchema);
  }
  if (answer.error.code !== 'tool_not_found') return errorToMcp(answer.error, { tool: answer.tool?.wire });
  throw new ProtocolError(rpcCodes.invalidParams, `Unknown tool: ${name}`, errorBody(answer.error));
}

/** A client whose user has just opened our page retries at once: the call waits for the user, then goes through. */
async function callOnceConnected(
  { toolCalls, connections }: CallParts,
  request: CallRequest,
  { hasOpened, traceparent }: { hasOpened: boolean; traceparent: string | undefined },
): Promise<CallAnswer> {
  const answer = await toolCalls.call(request, traceparent);
  const error = errorOf(answer);
  const reconnect = hasOpened && error ? reconnectOf(error) : undefined;
  const { userId } = request.caller;
  if (!reconnect || userId === null) return answer;
  const signal = request.signal ?? AbortSignal.timeout(connectPatienceMs);
  await connections.wait(reconnect.integrationId, userId, { timeoutMs: connectPatienceMs, signal });
  return toolCalls.call(request, traceparent);
}

function askFor(answer: CallAnswer, { context, frame }: CallExchange): ToolResult | undefined {
  const error = errorOf(answer);
  const reconnect = error && reconnectOf(error);
  if (!reconnect) return undefined;
  const asked = { context, sessionCapabilities: frame.clientCapabilities };
  return askToConnect(reconnect, asked) as ToolResult | undefined;
}

function errorOf(answer: CallAnswer): ErrorInfo | undefined {
  if (answer.kind === 'refused') return answer.error;
  return answer.outcome.status === 'completed' ? undefined : answer.outcome.error;
}

/**
 * An upstream that needs a capability of its client says -32021 of us. Where our own client did not declare it either,
 * that is the answer to it too; where it did, the failure stays ours.
 */
function refuseUndeclared(outcome: ToolCallOutcome, { mcpReq }: CallExchange['context']): void {
  if (
    outcome.status !== 'failed' ||
    outcome.error.details?.['upstream_code'] !== rpcCodes.missingClientCapability
  )
    return;
  const envelope = mcpReq.envelope as Record<string, unknown> | undefined;
  if (!envelope) return;
  const data = z
    .object({ requiredCapabilities: z.record(z.string(), z.unknown()) })
    .safeParse(outcome.error.details['upstream_data']);
  if (!data.success) return;
  const declared = Object.keys((envelope[CLIENT_CAPABILITIES_META_KEY] as object | undefined) ?? {});
  if (Object.keys(data.data.requiredCapabilities).every((name) => declared.includes(name))) return;
  throw new MissingRequiredClientCapabilityError(data.data as never);
}

function leaving(exchange: AbortSignal): AbortSignal {
  const left = new AbortController();
  exchange.addEventListener('abort', () => left.abort(new CallerLeft('disconnected')), { once: true });
  return left.signal;
}

function invalidParams(error: z.ZodError): ProtocolError {
  const errors = error.issues.slice(0, 5).map(({ path, message }) => ({ path: path.join('.'), message }));
  const info = new PlatformError('invalid_request', { details: { errors } }).toInfo();
  const text = errors.map(({ path, message }) => `${path}: ${message}`).join('; ');
  return new ProtocolError(rpcCodes.invalidParams, `Invalid params for tools/call: ${text}`, errorBody(info));
}

/** Progress goes to a client that gave a token; it only ever grows, as the protocol asks. */
function progressTo(context: Pick<ServerContext, 'mcpReq'>, token: unknown) {
  if (typeof token !== 'string' && typeof token !== 'number') return undefined;
  let last = Number.NEGATIVE_INFINITY;
  return (event: ToolCallEvent): void => {
    if (event.kind !== 'progress' || event.progress <= last) return;
    last = event.progress;
    const { kind: _, ...progress } = event;
    // Rejects once the client is gone, which the call hears of by its signal.
    context.mcpReq
      .notify({ method: 'notifications/progress', params: { progressToken: token, ...progress } })
      .catch(() => undefined);
  };
}
