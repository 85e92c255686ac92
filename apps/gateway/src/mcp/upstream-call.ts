import type { ServerContext } from '@modelcontextprotocol/server';
import type { RequestFilter } from '@switchyard/access';
import type {
  CallerContext,
  ErrorInfo,
  QuestionAnswer,
  ToolCallEvent,
  UpstreamMethod,
} from '@switchyard/contracts';
import type { UserToken } from '../auth/principal.js';
import type { SearchMode } from '../search/search-mode.service.js';
import { metaForTool, traceparentOf } from '../tool-calls/caller-meta.js';
import { CallerLeft, type CallRequest, type CallTarget } from '../tool-calls/prepared-call.js';
import type { Questions } from '../tool-calls/questions.service.js';
import type { CallAnswer, ToolCallsService } from '../tool-calls/tool-calls.service.js';
import type { ClientRequest } from './client-answers.service.js';
import type { LogLevel } from './client-side.js';
import type { Connections } from './connections.service.js';
import type { ParkedCalls } from './parked-calls.service.js';
import type { RequestStates } from './request-states.js';

const maxRequestIdLength = 128;

/** What a request brings besides its JSON-RPC message. */
export type CallFrame = {
  readonly era: 'legacy' | 'modern';
  /** Whose states and sessions it may use. */
  readonly owner: string;
  readonly caller: CallerContext;
  readonly filter?: RequestFilter;
  readonly userToken?: UserToken;
  /** Checked before. */
  readonly idempotencyKey: string | undefined;
  readonly traceparent: string | undefined;
  /** Aborts with `CallerLeft`. Besides, the end of the exchange says that the caller has disconnected. */
  readonly signal?: AbortSignal;
  /** Of a client of the handshake revisions that opened a session. */
  readonly session?: LegacySession;
};

/** What the rest of a session tells of one request. */
export type LegacySession = {
  readonly id: string;
  /** As declared at `initialize`. */
  readonly capabilities: Record<string, unknown>;
  readonly logLevel: LogLevel | undefined;
  /** Absent where the client reads no events before the response, so that nothing can be asked of it. */
  readonly ask?: (request: ClientRequest, signal: AbortSignal) => Promise<QuestionAnswer>;
  readonly notify?: (method: string, params: Record<string, unknown>) => void;
};

/** What is asked of an upstream, in the caller's names. */
export type Wanted = {
  readonly method: UpstreamMethod;
  readonly name: string;
  readonly arguments: Record<string, unknown>;
  readonly meta: Record<string, unknown> | undefined;
};

/** One request that goes to an upstream. */
export type CallExchange = {
  readonly wanted: Wanted;
  readonly context: Pick<ServerContext, 'mcpReq'>;
  readonly frame: CallFrame;
};

/** What calls need of the gateway. */
export type CallParts = {
  readonly toolCalls: ToolCallsService;
  readonly connections: Connections;
  readonly questions: Questions;
  readonly parked: ParkedCalls;
  readonly states: RequestStates;
  readonly searchMode: SearchMode;
  readonly refusedState: (frame: CallFrame, why: string) => void;
};

/** A result of 2026-07-28 that asks the client first. */
export type InputRequired = {
  readonly resultType: 'input_required';
  readonly inputRequests?: Record<string, unknown>;
  readonly requestState?: string;
};

/** How a request ends for its client. */
export type CallEnd = CallAnswer | { readonly kind: 'input_required'; readonly result: InputRequired };

/** The call for the pipeline; `traceparent` is apart from it. */
export function toCallRequest({ wanted, context, frame }: CallExchange): CallRequest {
  const { method, name, meta } = wanted;
  const token = meta?.['progressToken'];
  return {
    caller: frame.caller,
    userToken: frame.userToken,
    method,
    tool: name,
    arguments: wanted.arguments,
    filter: frame.filter,
    meta: metaForTool(meta),
    idempotencyKey: method === 'tools/call' ? frame.idempotencyKey : undefined,
    requestId: String(context.mcpReq.id).slice(0, maxRequestIdLength),
    progress: isToken(token),
    onEvent: progressTo(context, token),
    signal: leaving(context.mcpReq.signal, frame.signal),
  };
}

/** The trace that the request belongs to. */
export function traceOf({ wanted, frame }: CallExchange): string | undefined {
  return traceparentOf(wanted.meta, frame.traceparent);
}

/** The error of a call that did not complete. */
export function errorOf(answer: CallAnswer): ErrorInfo | undefined {
  if (answer.kind === 'refused') return answer.error;
  return answer.outcome.status === 'completed' ? undefined : answer.outcome.error;
}

/** What the upstream asks before it goes on, where its result is that. */
export function inputRequiredOf(
  answer: CallAnswer,
): { readonly result: InputRequired; readonly tool: CallTarget } | undefined {
  if (answer.kind !== 'ended' || answer.outcome.status !== 'completed') return undefined;
  const { result } = answer.outcome;
  if (result['resultType'] !== 'input_required') return undefined;
  const { inputRequests, requestState } = result;
  return {
    tool: answer.tool,
    result: {
      resultType: 'input_required',
      ...(isObject(inputRequests) && { inputRequests }),
      ...(typeof requestState === 'string' && { requestState }),
    },
  };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whichever is first says how. */
function leaving(exchange: AbortSignal, known: AbortSignal | undefined): AbortSignal {
  const left = new AbortController();
  const leave = (): void => left.abort(known?.reason);
  if (known?.aborted) leave();
  known?.addEventListener('abort', leave, { once: true });
  exchange.addEventListener('abort', () => left.abort(new CallerLeft('disconnected')), { once: true });
  return left.signal;
}

function isToken(token: unknown): token is string | number {
  return typeof token === 'string' || typeof token === 'number';
}

/** Progress goes to a client that gave a token; it only ever grows, as the protocol asks. */
function progressTo(context: CallExchange['context'], token: unknown) {
  let last = Number.NEGATIVE_INFINITY;
  return (event: ToolCallEvent): void => {
    if (!isToken(token) || event.kind !== 'progress' || event.progress <= last) return;
    last = event.progress;
    const { kind: _, ...progress } = event;
    // Rejects once the client is gone, which the call hears of by its signal.
    context.mcpReq
      .notify({ method: 'notifications/progress', params: { progressToken: token, ...progress } })
      .catch(() => undefined);
  };
}
