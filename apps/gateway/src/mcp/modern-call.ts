import {
  CLIENT_CAPABILITIES_META_KEY,
  LOG_LEVEL_META_KEY,
  MissingRequiredClientCapabilityError,
  ProtocolError,
} from '@modelcontextprotocol/server';
import {
  type CallResume,
  errorBody,
  PlatformError,
  type QuestionAnswer,
  type ToolCallEvent,
} from '@switchyard/contracts';
import type { CallRequest } from '../tool-calls/prepared-call.js';
import type { Question } from '../tool-calls/questions.service.js';
import type { CallAnswer } from '../tool-calls/tool-calls.service.js';
import { clientSideOf, logLevelOf, missingCapability } from './client-side.js';
import { rpcCodes } from './json-rpc.js';
import { logTo } from './log-messages.js';
import type { Turn } from './parked-calls.service.js';
import type { BadState, RequestState, StateBinding } from './request-states.js';
import {
  type CallEnd,
  type CallExchange,
  type CallParts,
  type InputRequired,
  inputRequiredOf,
  isObject,
  toCallRequest,
  traceOf,
} from './upstream-call.js';

type Questioned = Extract<RequestState, { kind: 'questions' }>;

/** What the client brought back from being asked. */
export type Retry = { readonly state: RequestState | undefined; readonly responses: Record<string, unknown> };

/**
 * A call for a client of 2026-07-28. It is asked by the result: with the upstream's own `input_required`, or, where the
 * upstream is of an older revision and waits in the middle of its request, with one of ours. Either way `requestState` is sealed,
 * and the retry goes on where the call stands.
 */
export async function callForModern(
  parts: CallParts,
  exchange: CallExchange,
  { state, responses }: Retry,
): Promise<CallEnd> {
  const request = whole(exchange);
  if (state?.kind === 'questions') {
    const answers = answersTo(state, responses);
    const turn = await parts.parked.resume({ ...state }, answers, withIntegration(request, state));
    return toEnd(parts, exchange, turn, state.integrationId);
  }
  const resume = resumeOf(state, responses);
  const turn = await parts.parked.begin({ ...withIntegration(request, state), resume }, traceOf(exchange));
  return toEnd(parts, exchange, turn, state?.integrationId);
}

/** What the retry brings; throws where its state is not of this request, or not ours. */
export function retryOf(parts: CallParts, exchange: CallExchange): Retry {
  const { mcpReq } = exchange.context;
  const { inputResponses } = mcpReq as { inputResponses?: unknown };
  const responses = isObject(inputResponses) ? inputResponses : {};
  const sent: unknown = mcpReq.requestState();
  if (sent === undefined) return { state: undefined, responses };
  const opened: RequestState | BadState =
    typeof sent === 'string' ? parts.states.open(sent, bindingOf(exchange)) : { bad: 'forged' };
  if (!('bad' in opened)) return { state: opened, responses };
  parts.refusedState(exchange.frame, opened.bad);
  const why = opened.bad === 'expired' ? 'it has expired' : 'it is not the state of this request';
  const error = new PlatformError('invalid_request', { message: `requestState is not valid: ${why}.` });
  throw new ProtocolError(rpcCodes.invalidParams, error.message, {
    reason: 'invalid_request_state',
    ...errorBody(error.toInfo()),
  });
}

/** The result that asks, bound to this request. */
export function askWith(
  { states }: CallParts,
  exchange: CallExchange,
  { inputRequests, state }: { inputRequests: Record<string, unknown>; state: RequestState },
): CallEnd {
  const requestState = states.seal(state, bindingOf(exchange));
  return { kind: 'input_required', result: { resultType: 'input_required', inputRequests, requestState } };
}

/** What the client of a request of 2026-07-28 declared in it. */
export function declaredIn({ context }: Pick<CallExchange, 'context'>): unknown {
  return envelopeOf(context)?.[CLIENT_CAPABILITIES_META_KEY];
}

function whole(exchange: CallExchange): CallRequest {
  const request = toCallRequest(exchange);
  const level = logLevelOf(envelopeOf(exchange.context)?.[LOG_LEVEL_META_KEY]);
  const log = logTo(exchange.context, level);
  const onEvent = (event: ToolCallEvent): void => {
    request.onEvent?.(event);
    log(event);
  };
  return { ...request, client: clientSideOf(declaredIn(exchange), level), onEvent };
}

function withIntegration(request: CallRequest, state: RequestState | undefined): CallRequest {
  return state ? { ...request, integrationId: state.integrationId } : request;
}

/** What goes to the upstream of what the client brought back. Responses without a state are for upstreams that keep none. */
export function resumeOf(
  state: RequestState | undefined,
  inputResponses: Record<string, unknown>,
): CallResume | undefined {
  if (state?.kind === 'page') return state.resume;
  if (state?.kind === 'approval') return undefined;
  const hasResponses = Object.keys(inputResponses).length > 0;
  if (state?.kind !== 'upstream') return hasResponses ? { inputResponses } : undefined;
  return { ...(hasResponses && { inputResponses }), requestState: state.state };
}

function toEnd(
  parts: CallParts,
  exchange: CallExchange,
  turn: Turn,
  integrationId: string | undefined,
): CallEnd {
  if (turn.kind === 'asked') {
    const { callId, deadlineAt, ledgerFirst, tool } = turn.call;
    const state = {
      kind: 'questions',
      integrationId: tool?.integration.id ?? integrationId ?? '',
      ...{ callId, deadlineAt, isKept: ledgerFirst },
      questionIds: turn.questions.map(({ questionId }) => questionId),
    } as const;
    const asked = turn.questions.map((question) => [question.questionId, toModernRequest(question)]);
    return askWith(parts, exchange, { inputRequests: Object.fromEntries(asked), state });
  }
  return sealed(parts, exchange, turn);
}

/** An upstream's `input_required` with its state in our envelope; all other ends as they are. */
function sealed(parts: CallParts, exchange: CallExchange, answer: CallAnswer): CallEnd {
  const required = inputRequiredOf(answer);
  if (!required) return answer;
  const { result, tool } = required;
  if (result.inputRequests === undefined && result.requestState === undefined) {
    const message = 'It asks for input and does not say which.';
    const error = new PlatformError('upstream_protocol_error', { message }).toInfo();
    return { kind: 'refused', error, tool };
  }
  refuseUndeclared(result, declaredIn(exchange));
  if (result.requestState === undefined) return { kind: 'input_required', result };
  const integrationId = tool.integration.id;
  const state = { kind: 'upstream', integrationId, state: result.requestState } as const;
  const requestState = parts.states.seal(state, bindingOf(exchange));
  return { kind: 'input_required', result: { ...result, requestState } };
}

/** Nothing is asked of a client that did not say that it can be asked. */
function refuseUndeclared({ inputRequests = {} }: InputRequired, declared: unknown): void {
  for (const request of Object.values(inputRequests)) {
    const missing = missingCapability(request, declared);
    if (missing === null)
      throw new ProtocolError(
        rpcCodes.internal,
        'The server asks the client something that MCP does not know.',
      );
    if (missing) throw new MissingRequiredClientCapabilityError({ requiredCapabilities: missing });
  }
}

function answersTo(
  { questionIds }: Questioned,
  responses: Record<string, unknown>,
): Map<string, QuestionAnswer> {
  const given = questionIds.flatMap((id): [string, QuestionAnswer][] => {
    const result = Object.hasOwn(responses, id) ? responses[id] : undefined;
    return isObject(result) ? [[id, { result }]] : [];
  });
  return new Map(given);
}

/** The older revisions' ids and tokens of a request mean nothing in this one. */
function toModernRequest({ method, params }: Question) {
  const { elicitationId: _id, task: _task, _meta, ...rest } = params;
  return { method, params: rest };
}

function bindingOf({ frame, wanted }: CallExchange): StateBinding {
  return {
    owner: frame.owner,
    method: wanted.method,
    name: wanted.name,
    arguments: wanted.arguments,
  };
}

function envelopeOf({ mcpReq }: CallExchange['context']): Record<string, unknown> | undefined {
  return mcpReq.envelope as Record<string, unknown> | undefined;
}
