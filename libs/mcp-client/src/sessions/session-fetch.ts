import type { FetchLike } from '@modelcontextprotocol/client';
import { Headers, Response, type RequestInit, type Response as UndiciResponse } from 'undici';
import type { EgressPolicy } from '../egress/egress-policy.js';
import { isSessionLost, retryAfterMs } from '../failures/classify-status.js';
import { currentExchange, type Exchange } from './exchange.js';

/** Headers that belong to the protocol or to the connection: no credential may set them. */
const RESERVED =
  /^(accept|connection|content-(type|length|encoding)|host|keep-alive|last-event-id|mcp-.*|te|trailer|transfer-encoding|upgrade)$/i;
const ERROR_BODY_BYTES = 64 * 1024;
const ASIDE_TIMEOUT_MS = 10_000;
const MAX_RESUME_FAILURES = 4;

export type SessionFetchOptions = {
  egress: EgressPolicy;
  /** Credentials of the present lease; may change while the session lives. */
  headers: () => Record<string, string>;
  maxBodyBytes: number;
  /** An SSE session lives and dies with its stream, and its endpoint names it. */
  isSse: boolean;
  onSessionLost: () => void;
  /** A standing stream was opened again: what it would have told meanwhile was missed. */
  onStreamReopened: () => void;
  /** The standing stream was opened or refused. */
  onStanding: () => void;
};

/** The `fetch` of one session: adds credentials, and notes what becomes of each exchange's request. */
export function sessionFetch(options: SessionFetchOptions): FetchLike {
  let streamsOpened = 0;
  return (async (url: string | URL, given?: RequestInit) => {
    const exchange = currentExchange.getStore();
    const init = { ...given, headers: headersOf(options, exchange, given) };
    const kind = kindOf(init.method, options.isSse, exchange);
    const response = await send(options, url, init, { exchange, kind }).catch((error: unknown) => {
      if (exchange) noteError(exchange, kind, error);
      throw error;
    });
    if (exchange && kind !== 'resumed')
      exchange.facts.response = { status: response.status, hadSession: false };
    if (kind === 'standing') options.onStanding();
    if (!response.ok) return refused(options, response, init, { exchange, kind });
    if (kind !== 'standing') return response;
    if (++streamsOpened > 1) options.onStreamReopened();
    return options.isSse ? watched(response, options.onSessionLost) : response;
  }) as unknown as FetchLike;
}

/** `standing`: the stream of a whole session. `resumed`: what is left of the stream of one call. */
type RequestKind = 'post' | 'standing' | 'resumed' | 'delete';
type Sender = { exchange: Exchange | undefined; kind: RequestKind };

function kindOf(method: string | undefined, isSse: boolean, exchange: Exchange | undefined): RequestKind {
  if (method === 'POST') return 'post';
  if (method === 'DELETE') return 'delete';
  return exchange && !isSse ? 'resumed' : 'standing';
}

function noteError(exchange: Exchange, kind: RequestKind, error: unknown): void {
  if (kind === 'resumed') resumeFailed(exchange);
  // The SDK tells of a stream that could not be opened in words alone.
  if (kind === 'standing') exchange.cause = error as Error;
}

function headersOf(
  options: SessionFetchOptions,
  exchange: Exchange | undefined,
  given?: RequestInit,
): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(options.headers()))
    if (!RESERVED.test(name)) headers.set(name, value);
  for (const [name, value] of new Headers(given?.headers)) headers.set(name, value);
  for (const [name, value] of Object.entries(exchange?.options.headers ?? {})) headers.set(name, value);
  return headers;
}

async function send(
  { egress, maxBodyBytes }: SessionFetchOptions,
  url: string | URL,
  init: RequestInit,
  { exchange, kind }: Sender,
): Promise<UndiciResponse> {
  // Calls have a deadline of their own, standing streams may be silent for hours; all else is answered at once.
  const headersTimeoutMs = exchange || kind === 'standing' ? 0 : ASIDE_TIMEOUT_MS;
  const onSent = () => {
    if (exchange && kind === 'post') exchange.facts.requestSent = true;
  };
  const onTooLarge = (error: Error) => {
    if (exchange) exchange.cause = error;
  };
  // The end of a kept connection may have arrived unread: a turn of the event loop reads it, and a server that was
  // restarted gets the request over a new connection instead of a dead one, which could only end as unknown.
  if (kind === 'post') await new Promise((resolve) => setImmediate(resolve));
  return egress.fetchLimited(url, init, {
    maxBodyBytes,
    headersTimeoutMs,
    bodyIdleTimeoutMs: 0,
    onSent,
    onTooLarge,
  });
}

/** Reads the beginning of an error's body, notes the answer, and hands the SDK a response that it can read again. */
async function refused(
  options: SessionFetchOptions,
  response: UndiciResponse,
  init: RequestInit,
  { exchange, kind }: Sender,
): Promise<UndiciResponse> {
  const { status, statusText, headers } = response;
  const body = await beginningOf(response);
  const hadSession = options.isSse ? kind === 'post' : (init.headers as Headers).has('mcp-session-id');
  const answer = {
    status,
    hadSession,
    body,
    retryAfterMs: retryAfterMs(headers.get('retry-after'), Date.now()),
    challenge: headers.get('www-authenticate'),
  };
  if (exchange && kind !== 'resumed') exchange.facts.response = answer;
  if (exchange && kind === 'resumed') resumeFailed(exchange, answer.status);
  if (isSessionLost(answer) && kind !== 'delete') options.onSessionLost();
  const kept = new Headers(headers);
  for (const name of ['content-encoding', 'content-length']) kept.delete(name);
  return new Response(body, { status, statusText, headers: kept });
}

async function beginningOf(response: UndiciResponse): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      if (text.length > ERROR_BODY_BYTES) break;
    }
  } catch {
    // What was read of the body is all that there is to say.
  }
  return text.slice(0, ERROR_BODY_BYTES);
}

/** The SDK tries for ever to resume a call's broken stream; a server that lost the session will never answer it. */
function resumeFailed(exchange: Exchange, status?: number): void {
  exchange.resumeFailures++;
  if ((status && status < 500) || exchange.resumeFailures >= MAX_RESUME_FAILURES) exchange.lose();
}

/** The response, whose end is told. */
function watched(response: UndiciResponse, onEnd: () => void): UndiciResponse {
  if (!response.body) return response;
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  response.body.pipeTo(writable as never).then(onEnd, onEnd);
  return new Response(readable as never, { status: response.status, headers: response.headers });
}
