import { pipeline, type Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { Headers, Response, type Dispatcher, type RequestInit } from 'undici';
import { capBody } from './cap-body.js';

export type BodyLimit = { maxBodyBytes: number; onTooLarge?: (error: Error) => void };

const STATUSES_WITHOUT_BODY = new Set([204, 205, 304]);
const DECODERS = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
} as const;
const DEFAULT_HEADERS = { accept: '*/*', 'accept-encoding': 'gzip, deflate, br', 'user-agent': 'switchyard' };

/**
 * What a server needs of `fetch`: one request, no redirect followed, the body decompressed and capped. undici's own
 * `fetch` follows the browser's specification, and costs three times as much (`docs/performance.md`).
 */
export async function plainFetch(
  agent: Dispatcher,
  url: URL,
  init: RequestInit,
  limit: BodyLimit,
): Promise<Response> {
  const { body, headers } = await bodyAndHeaders(init);
  const answer = await agent.request({
    origin: url.origin,
    path: url.pathname + url.search,
    method: (init.method ?? 'GET') as Dispatcher.HttpMethod,
    headers: Object.fromEntries(headers),
    body,
    signal: init.signal,
  });
  return toResponse(answer, limit);
}

async function bodyAndHeaders(
  init: RequestInit,
): Promise<{ body: string | Uint8Array | null; headers: Headers }> {
  const headers = new Headers(init.headers);
  for (const [name, value] of Object.entries(DEFAULT_HEADERS))
    if (!headers.has(name)) headers.set(name, value);
  if (init.body === undefined || init.body === null) return { body: null, headers };
  if (typeof init.body === 'string' && headers.has('content-type')) return { body: init.body, headers };
  // Forms and the like: `Response` knows how each is written and called.
  const packed = new Response(init.body);
  const type = packed.headers.get('content-type');
  if (type !== null && !headers.has('content-type')) headers.set('content-type', type);
  return { body: new Uint8Array(await packed.arrayBuffer()), headers };
}

function toResponse(answer: Dispatcher.ResponseData, limit: BodyLimit): Response {
  const headers = new Headers();
  for (const [name, value] of Object.entries(answer.headers))
    for (const one of Array.isArray(value) ? value : [value ?? '']) headers.append(name, one);
  const head = { status: answer.statusCode, statusText: answer.statusText, headers };
  if (!STATUSES_WITHOUT_BODY.has(answer.statusCode)) {
    return new Response(capBody(decoded(answer.body, headers), headers, limit), head);
  }
  answer.body.resume().on('error', () => undefined);
  return new Response(null, head);
}

/** Codings are undone last first. One that we did not ask for is left as it is. */
function decoded(body: Readable, headers: Headers): Readable {
  const codings = (headers.get('content-encoding') ?? '')
    .split(',')
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== '' && coding !== 'identity');
  const decoders = codings.reverse().map((coding) => DECODERS[coding as keyof typeof DECODERS]);
  if (decoders.includes(undefined as never)) return body;
  // Whoever reads the last stream hears of every error.
  return decoders.reduce<Readable>((source, decoder) => pipeline(source, decoder(), () => undefined), body);
}
