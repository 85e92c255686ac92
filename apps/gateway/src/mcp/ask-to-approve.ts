import { inputRequired } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { OpenApproval } from '../tool-calls/approval-required.js';
import type { Word } from '../tool-calls/gated-calls.service.js';
import { missingCapability } from './client-side.js';
import { plainText } from './plain-text.js';
import type { RequestState } from './request-states.js';
import { askWith, declaredIn, type Retry } from './modern-call.js';
import { type CallEnd, type CallExchange, type CallParts, toCallRequest, traceOf } from './upstream-call.js';
import type { CallAnswer } from '../tool-calls/tool-calls.service.js';

/** The name of our request among the input requests of a 2026-07-28 result. */
const approveRequest = 'approve';
/** Who is to decide has to see all of what would run, and nobody reads more. */
const shownArguments = 4_000;
const shownDescription = 500;
const longestReason = 2_000;

type Waiting = CallAnswer & { kind: 'ended'; approval: OpenApproval };
type ApprovalState = Extract<RequestState, { kind: 'approval' }>;

const Answered = z.discriminatedUnion('action', [
  z.looseObject({
    action: z.literal('accept'),
    content: z.looseObject({ approve: z.boolean(), reason: z.string().optional() }),
  }),
  z.looseObject({ action: z.literal('decline') }),
  z.looseObject({ action: z.literal('cancel') }),
]);

/** The call that waits, where it is one that its own user may decide about and can be shown whole. */
export function ownWaiting(end: CallEnd, { wanted }: CallExchange): Waiting | undefined {
  if (end.kind !== 'ended' || !end.approval?.isOwn) return undefined;
  return argumentsText(wanted.arguments).length <= shownArguments ? (end as Waiting) : undefined;
}

/** Asks the user of a handshake client on the stream of their request. Where they cannot be asked, the answer stays as it is. */
export async function approveForLegacy(
  parts: CallParts,
  exchange: CallExchange,
  waiting: Waiting,
): Promise<CallAnswer> {
  const { session, signal } = exchange.frame;
  const request = { method: 'elicitation/create', params: formOf(waiting, exchange) };
  const isMissing = missingCapability(request, session?.ask && session.capabilities) !== undefined;
  if (!session?.ask || isMissing) return waiting;
  const given = await session.ask(request, signal ?? exchange.context.mcpReq.signal).catch(() => undefined);
  const word = given && 'result' in given ? wordOf(given.result) : undefined;
  return word ? decide(parts, exchange, waiting.approval, word) : waiting;
}

/** Asks the user of a 2026-07-28 client by the result. */
export function askToApprove(parts: CallParts, exchange: CallExchange, waiting: Waiting): CallEnd {
  const form = formOf(waiting, exchange);
  const request = inputRequired.elicit(form);
  if (missingCapability(request, declaredIn(exchange)) !== undefined) return waiting;
  const { callId, expiresAt, argumentsSha256 } = waiting.approval;
  return askWith(parts, exchange, {
    inputRequests: { [approveRequest]: request },
    state: {
      kind: 'approval',
      integrationId: waiting.tool.integration.id,
      ...{ callId, expiresAt: expiresAt.getTime(), argumentsSha256 },
    },
  });
}

/** What the client brought back. Undefined where that is no answer to the question. */
export async function decidedByRetry(
  parts: CallParts,
  exchange: CallExchange,
  { state, responses }: Retry & { state: ApprovalState },
): Promise<CallAnswer | undefined> {
  const word = wordOf(responses[approveRequest]);
  const open = { ...state, expiresAt: new Date(state.expiresAt), isOwn: true };
  return word && decide(parts, exchange, open, word);
}

function decide(
  { toolCalls }: CallParts,
  exchange: CallExchange,
  open: OpenApproval,
  word: Word,
): Promise<CallAnswer> {
  return toolCalls.decide(toCallRequest(exchange), open, { word, traceparent: traceOf(exchange) });
}

/** Whoever does not say yes says no. */
function wordOf(answer: unknown): Word | undefined {
  const { data } = Answered.safeParse(answer);
  if (!data) return undefined;
  if (data.action !== 'accept') return { approved: false, reason: `The user chose to ${data.action}.` };
  const { approve, reason } = data.content;
  return { approved: approve, reason: reason?.slice(0, longestReason) ?? null };
}

function formOf({ tool }: Waiting, { wanted }: CallExchange) {
  const [name, of] = [tool.tool.name, tool.integration.name].map((one) => quoted(one).slice(1, -1));
  const question = `Allow ${name} of ${of} with these arguments?${risk(tool)}`;
  return {
    message: `${question}\n${argumentsText(wanted.arguments)}${vendorsWords(tool)}`,
    requestedSchema: {
      type: 'object' as const,
      properties: {
        approve: { type: 'boolean' as const, title: 'Approve', description: 'Whether the call may run.' },
        reason: { type: 'string' as const, title: 'Reason', maxLength: longestReason },
      },
      required: ['approve'],
    },
  };
}

function argumentsText(args: Record<string, unknown>): string {
  return plainText(JSON.stringify(args, null, 2));
}

/** Quoted, so that it cannot pass for words of ours. */
function vendorsWords({ wire: { description = '' } }: Waiting['tool']): string {
  if (description === '') return '';
  const rest = description.length > shownDescription ? ' …' : '';
  return `\nIts vendor says: ${quoted(description.slice(0, shownDescription))}${rest}`;
}

function quoted(text: string): string {
  return plainText(JSON.stringify(text));
}

function risk({ safe, wire }: Waiting['tool']): string {
  if (wire.annotations?.destructiveHint === true) return ' Its vendor calls it destructive.';
  return safe ? '' : ' It may change things, and is not known to be safe to repeat.';
}
