import type { RequestInit, Response } from 'undici';

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const MAX_REDIRECTS = 5;

/** One request, redirects not followed. */
export type SendOnce = (url: URL, init: RequestInit) => Promise<Response>;

/**
 * Follows redirects that keep the method and stay within the origin, each through the policy again. Any other
 * redirect is returned as it came: headers, credentials and body never go to another origin.
 */
export async function fetchWithinOrigin(url: URL, init: RequestInit, sendOnce: SendOnce): Promise<Response> {
  let current = url;
  for (let followed = 0; ; followed++) {
    const response = await sendOnce(current, init);
    const target = redirectTarget(current, response);
    if (!target || init.redirect === 'manual' || followed === MAX_REDIRECTS) return response;
    if (!keepsMethod(response.status, init.method) || target.origin !== current.origin) return response;
    await response.body?.cancel().catch(() => undefined);
    current = target;
  }
}

function redirectTarget(from: URL, response: Response): URL | null {
  const location = REDIRECTS.has(response.status) ? response.headers.get('location') : null;
  return location && URL.canParse(location, from.href) ? new URL(location, from) : null;
}

function keepsMethod(status: number, method = 'GET'): boolean {
  return status === 307 || status === 308 || method === 'GET' || method === 'HEAD';
}
