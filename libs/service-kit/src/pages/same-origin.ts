import type { IncomingHttpHeaders } from 'node:http';

/** What the callers of a route are judged by. */
export type RequestFacts = { readonly method: string; readonly headers: IncomingHttpHeaders };

/** Whether a page of ours made the browser send it. A browser says so in one of two headers. */
export function isSameOrigin({ headers }: RequestFacts, publicUrl: string): boolean {
  if (headers.origin !== undefined) return headers.origin === publicUrl;
  return headers['sec-fetch-site'] === 'same-origin';
}
