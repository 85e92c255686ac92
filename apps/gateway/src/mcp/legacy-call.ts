import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type CallResume,
  type ErrorInfo,
  PlatformError,
  type QuestionAnswer,
  type ToolCallEvent,
} from '@switchyard/contracts';
import { clientSideOf, missingCapability } from './client-side.js';
import type { ClientRequest } from './client-answers.service.js';
import { logTo } from './log-messages.js';
import {
  type CallExchange,
  type CallParts,
  type InputRequired,
  inputRequiredOf,
  isObject,
  type LegacySession,
  toCallRequest,
  traceOf,
} from './upstream-call.js';
import type { CallAnswer } from '../tool-calls/tool-calls.service.js';

/** As many as the SDKs take before they give up. */
const maxRounds = 10;
/** Between rounds of an upstream that only wants to be asked again. */
const pauseMs = 1_000;
const nobodyAnswers: QuestionAnswer = { error: { code: -32603, message: 'The client did not answer.' } };

/**
 * A call for a client of the handshake revisions. What the upstream asks meanwhile is asked of the client on the stream of its
 * request; an `input_required` result of a 2026-07-28 upstream becomes such questions too, and its retry is made here.
 */
export async function callForLegacy(parts: CallParts, exchange: CallExchange): Promise<CallAnswer> {
  let resume: CallResume | undefined;
  for (let round = 0; round < maxRounds; round++) {
    const answer = await callOnce(parts, exchange, resume);
    const required = inputRequiredOf(answer);
    if (!required) return answer;
    const { result, tool } = required;
    const next = await fulfil(result, exchange);
    if ('code' in next) return { kind: 'refused', error: next, tool };
    resume = next;
  }
  const message = `The server asked the client more than ${maxRounds} times.`;
  return { kind: 'refused', error: new PlatformError('upstream_protocol_error', { message }).toInfo() };
}

async function callOnce(
  { toolCalls, questions }: CallParts,
  exchange: CallExchange,
  resume: CallResume | undefined,
): Promise<CallAnswer> {
  const { session } = exchange.frame;
  const request = toCallRequest(exchange);
  const ended = new AbortController();
  const log = logTo(exchange.context, session?.logLevel);
  let callId = '';
  const answer = async ({ questionId, method, params }: ClientRequest & { questionId: string }) => {
    const given = await askClient(session, { method, params }, ended.signal);
    if (!ended.signal.aborted) await questions.answer(callId, questionId, given);
  };
  const onEvent = (event: ToolCallEvent): void => {
    request.onEvent?.(event);
    log(event);
    if (event.kind === 'question') {
      questions.asked(callId, event);
      // Unanswered, the worker declines for the client when the time for it is over.
      answer(event).catch(() => undefined);
    }
    if (event.kind === 'notification') session?.notify?.(event.method, event.params);
  };
  try {
    const client = clientSideOf(session?.ask && session.capabilities, session?.logLevel);
    const onStart = (call: { callId: string }): void => void (callId = call.callId);
    return await toolCalls.call({ ...request, client, resume, onStart, onEvent }, traceOf(exchange));
  } finally {
    ended.abort(new Error('The call is over.'));
  }
}

/** Asks all at once, as the upstream put them. An error instead of the retry's content, where a client cannot answer. */
async function fulfil(
  { inputRequests = {}, requestState }: InputRequired,
  { frame, context }: CallExchange,
): Promise<CallResume | ErrorInfo> {
  const requests = Object.entries(inputRequests);
  const { session } = frame;
  const refused = requests.map(([, request]) => unanswerable(request, session)).find(Boolean);
  if (refused) return refused;
  const signal = frame.signal ?? context.mcpReq.signal;
  if (requests.length === 0) await delay(pauseMs, undefined, { signal }).catch(() => undefined);
  const answers = await Promise.all(
    requests.map(async ([key, request]) => {
      const asked = toLegacyRequest(request as ClientRequest);
      return [key, asked.method, await askClient(session, asked, signal)] as const;
    }),
  );
  const failed = answers.find(([, method, given]) => 'error' in given && method !== 'elicitation/create');
  if (failed) return clientFailed(failed[1], failed[2]);
  const inputResponses = Object.fromEntries(
    // An elicitation that the client could not show is one that nobody answered.
    answers.map(([key, , given]) => [key, 'result' in given ? given.result : { action: 'cancel' }]),
  );
  return {
    ...(requests.length > 0 && { inputResponses }),
    ...(requestState !== undefined && { requestState }),
  };
}

async function askClient(
  session: LegacySession | undefined,
  request: ClientRequest,
  signal: AbortSignal,
): Promise<QuestionAnswer> {
  if (!session?.ask) return nobodyAnswers;
  return session.ask(request, signal).catch(() => nobodyAnswers);
}

/** Undefined where the client can be asked this. */
function unanswerable(request: unknown, session: LegacySession | undefined): ErrorInfo | undefined {
  const missing = missingCapability(request, session?.ask && session.capabilities);
  if (missing === undefined) return undefined;
  if (missing === null)
    return new PlatformError('upstream_protocol_error', {
      message: 'It asks the client something that MCP does not know.',
    }).toInfo();
  return new PlatformError('client_capability_missing', {
    message: session?.ask ? undefined : 'It has no session, or does not accept text/event-stream.',
    details: { required_capabilities: missing },
  }).toInfo();
}

/** 2025-11-25 gives each URL that is to be opened an id. */
function toLegacyRequest({ method, params }: ClientRequest): ClientRequest {
  const given = isObject(params) ? params : {};
  const isUrl = method === 'elicitation/create' && given['mode'] === 'url';
  return { method, params: isUrl ? { elicitationId: randomUUID(), ...given } : given };
}

function clientFailed(method: string, given: QuestionAnswer): ErrorInfo {
  const { message = '' } = 'error' in given ? given.error : {};
  return new PlatformError('invalid_request', {
    message: `The client answered ${method} with an error: ${message.slice(0, 200)}`,
  }).toInfo();
}
