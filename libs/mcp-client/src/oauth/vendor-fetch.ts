import { PlatformError } from '@switchyard/contracts';
import { causes } from '../failures/classify-failure.js';
import { retryAfterMs } from '../failures/classify-status.js';
import { networkReason } from '../failures/network-reason.js';
import { vendorUnavailable } from './vendor-error.js';

export type Fetch = typeof fetch;

const MAX_BODY_BYTES = 1024 * 1024;
const TIMEOUT_MS = 10_000;
const STATUSES_WITHOUT_BODY = new Set([101, 204, 205, 304]);

/**
 * One request to a vendor, whatever `fetch` is: within 10 s including the body, of which at most 1 MiB is read. A
 * redirect is handed back as it came. Throws what `fetch` throws, and `result_too_large`.
 */
export function vendorFetch(fetch: Fetch): Fetch {
  return async (url, init) => {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    const signal = init?.signal ? AbortSignal.any([timeout, init.signal]) : timeout;
    const body = init?.body instanceof URLSearchParams ? init.body.toString() : init?.body;
    const response = await fetch(url, { ...init, body, signal, redirect: 'manual' });
    const { status, headers } = response;
    const bytes = await wholeBody(response);
    const kept = new Headers([...headers].filter(([name]) => !/^content-(encoding|length)$/i.test(name)));
    return new Response(STATUSES_WITHOUT_BODY.has(status) ? null : bytes, { status, headers: kept });
  };
}

/** A body of at most 1 MiB. Throws `result_too_large`. */
export async function wholeBody(response: Response): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += (chunk as Uint8Array).byteLength;
    // Leaving the loop cancels the body.
    if (length > MAX_BODY_BYTES)
      throw new PlatformError('result_too_large', { details: { limit_bytes: MAX_BODY_BYTES } });
    chunks.push(chunk as Uint8Array);
  }
  return Buffer.concat(chunks);
}

/** A `fetch` of metadata documents that remembers the status of the last answer. */
export type MetadataFetch = { fetch: Fetch; lastStatus: () => number };

/**
 * For metadata documents: a vendor that is down is `authorization_server_unavailable`, so that it is never taken for
 * one without metadata, for which other places would be tried.
 */
export function metadataFetch(fetch: Fetch): MetadataFetch {
  let status = 0;
  const once = vendorFetch(fetch);
  return {
    lastStatus: () => status,
    fetch: async (url, init) => {
      const response = await once(url, init).catch((thrown: unknown) => {
        throw thrown instanceof PlatformError
          ? thrown
          : vendorUnavailable(unreachableReason(thrown), { cause: thrown });
      });
      status = response.status;
      if (status === 429 || status >= 500) {
        const delay = retryAfterMs(response.headers.get('retry-after'), Date.now());
        throw vendorUnavailable(`http_${status}`, { retryAfterMs: delay });
      }
      return response;
    },
  };
}

/** Why no answer came, in words that name no address. */
export function unreachableReason(thrown: unknown): string {
  if (thrown instanceof PlatformError) return thrown.code;
  if ((thrown as Error | undefined)?.name === 'TimeoutError') return 'timeout';
  return networkReason(causes(thrown)) ?? 'unreachable';
}
