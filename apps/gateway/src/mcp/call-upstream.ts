import { PlatformError } from '@switchyard/contracts';
import {
  opensUrls,
  pageRequests,
  pagesOf,
  pagesRequired,
  reconnectOf,
  upstreamPagesOf,
  wereOpened,
} from './ask-to-connect.js';
import { approveForLegacy, askToApprove, decidedByRetry, ownWaiting } from './ask-to-approve.js';
import { callForLegacy } from './legacy-call.js';
import { askWith, callForModern, declaredIn, resumeOf, type Retry, retryOf } from './modern-call.js';
import { type CallEnd, type CallExchange, type CallParts, errorOf } from './upstream-call.js';

type Failed = { readonly end: Exclude<CallEnd, { kind: 'input_required' }>; readonly retry: Retry };

/** How long a client's retry waits for its user, who may still be at the vendor's page. */
const connectPatienceMs = 25_000;

/**
 * Asks the upstream, and its client whatever is to be asked on the way: in the client's own era, whichever the upstream's is. A
 * user who has to open our page is asked to once; for a page of its own a server asks until it has what it wants.
 */
export async function callUpstream(parts: CallParts, exchange: CallExchange): Promise<CallEnd> {
  return exchange.frame.era === 'modern' ? callModern(parts, exchange) : callLegacy(parts, exchange);
}

async function callLegacy(parts: CallParts, exchange: CallExchange): Promise<CallEnd> {
  const first = await callForLegacy(parts, exchange);
  const waiting = ownWaiting(first, exchange);
  const answer = waiting ? await approveForLegacy(parts, exchange, waiting) : first;
  const error = errorOf(answer);
  const pages = error ? pagesOf(error) : [];
  if (pages.length > 0 && opensUrls(exchange.frame.session?.capabilities)) throw pagesRequired(pages);
  return answer;
}

async function callModern(parts: CallParts, exchange: CallExchange): Promise<CallEnd> {
  const retry = retryOf(parts, exchange);
  const end = await roundOf(parts, exchange, retry);
  if (end.kind === 'input_required' || !errorOf(end)) return end;
  if (retry.state?.kind !== 'page') return askToOpen(parts, exchange, { end, retry });
  if (!wereOpened(retry.responses)) return notOpened(end);
  const then = await onceConnected(parts, exchange, { end, retry });
  return asksForPages(then) ? askToOpen(parts, exchange, { end: then, retry }) : then;
}

/** One round: what the client's word makes of a call that waits for it, or the call, which may have to wait. */
async function roundOf(parts: CallParts, exchange: CallExchange, retry: Retry): Promise<CallEnd> {
  const { state, responses } = retry;
  if (state?.kind === 'approval') {
    const decided = await decidedByRetry(parts, exchange, { state, responses });
    if (decided) return decided;
  }
  const isFresh = state?.kind !== 'approval';
  const end = await callForModern(parts, exchange, isFresh ? retry : { state: undefined, responses: {} });
  const waiting = isFresh ? ownWaiting(end, exchange) : undefined;
  return waiting ? askToApprove(parts, exchange, waiting) : end;
}

function asksForPages(end: CallEnd): end is Failed['end'] {
  const error = end.kind === 'input_required' ? undefined : errorOf(end);
  return error !== undefined && upstreamPagesOf(error).length > 0;
}

/** A server's error that only says "first the page" is no fault of the server where the user does not want to. */
function notOpened(end: Failed['end']): CallEnd {
  if (!asksForPages(end) || end.kind !== 'ended' || end.outcome.status !== 'failed') return end;
  const { details } = end.outcome.error;
  const message = 'The server wants its user to open a page first, and the user did not.';
  return {
    ...end,
    outcome: { ...end.outcome, error: new PlatformError('cancelled', { message, details }).toInfo() },
  };
}

function askToOpen(parts: CallParts, exchange: CallExchange, { end, retry }: Failed): CallEnd {
  const error = errorOf(end);
  const pages = error && canOpen(exchange) ? pagesOf(error) : [];
  const integrationId = (error && reconnectOf(error)?.integrationId) ?? end.tool?.integration.id;
  if (pages.length === 0 || integrationId === undefined) return end;
  return askWith(parts, exchange, {
    inputRequests: pageRequests(pages),
    state: { kind: 'page', integrationId, resume: resumeOf(retry.state, retry.responses) },
  });
}

/** A client whose user has just opened our page retries at once: the call waits for the user, then goes through. */
async function onceConnected(
  parts: CallParts,
  exchange: CallExchange,
  { end, retry }: Failed,
): Promise<CallEnd> {
  const error = errorOf(end);
  const reconnect = error && reconnectOf(error);
  const { userId } = exchange.frame.caller;
  if (!reconnect || userId === null) return end;
  const { signal } = exchange.context.mcpReq;
  await parts.connections.wait(reconnect.integrationId, userId, { timeoutMs: connectPatienceMs, signal });
  return callForModern(parts, exchange, retry);
}

/** That revision asks by the result, which not every method's may be. */
function canOpen(exchange: CallExchange): boolean {
  return exchange.wanted.method !== 'completion/complete' && opensUrls(declaredIn(exchange));
}
