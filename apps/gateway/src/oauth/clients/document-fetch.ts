import type { EgressPolicy } from '@switchyard/mcp-client';
import { LruMap } from '@switchyard/service-kit';

const limits = { maxBodyBytes: 65_536, headersTimeoutMs: 2_500, bodyIdleTimeoutMs: 2_500 };
const keptMs = 86_400_000;
/** A key that its owner has taken away must not go on to count for long. */
const keysKeptMs = 300_000;
const mostKept = 500;

type Kept = { readonly body: string; readonly headers: [string, string][]; readonly until: number };

/**
 * Fetches what clients have us fetch, their metadata documents and keys, through the egress policy. A client's users
 * are not locked out because its site is away for a while: for a day the last good document stands in, and for five
 * minutes the last good keys.
 */
export function documentFetch(egress: EgressPolicy): typeof fetch {
  const kept = new LruMap<string, Kept>(mostKept);
  return (async (url: string | URL, init?: RequestInit & { dispatcher?: unknown }) => {
    const { dispatcher: _, ...ours } = init ?? {};
    try {
      const response = await egress.fetchLimited(url, ours as never, limits);
      if (response.status >= 500) throw new Error(`The client’s site answered ${response.status}.`);
      if (response.status !== 200) return response;
      const body = await response.text();
      const headers = [...response.headers].filter(([name]) =>
        /^(cache-control|content-type|expires)$/.test(name),
      );
      kept.set(String(url), {
        body,
        headers,
        until: Date.now() + (isDocument(body, url) ? keptMs : keysKeptMs),
      });
      return new Response(body, { headers });
    } catch (cause) {
      const last = kept.get(String(url));
      if (!last || last.until < Date.now()) throw cause;
      return new Response(last.body, { headers: last.headers });
    }
  }) as typeof fetch;
}

/** Metadata documents name themselves; sets of keys do not. */
function isDocument(body: string, url: string | URL): boolean {
  try {
    return (JSON.parse(body) as { client_id?: unknown } | null)?.client_id === String(url);
  } catch {
    return false;
  }
}
