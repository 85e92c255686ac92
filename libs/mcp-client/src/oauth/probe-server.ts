import { PlatformError } from '@switchyard/contracts';
import { parsed } from './read-token-response.js';
import { unreachableReason, wholeBody, type Fetch } from './vendor-fetch.js';
import { vendorUnavailable } from './vendor-error.js';

/** What a server says to somebody without a token. */
export type Probe = { isOpen: boolean; challenge: string | null };

type Answer = Probe & { status: number };

const TIMEOUT_MS = 10_000;
const hello = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'switchyard', version: '1' },
  },
};

/**
 * Knocks without a token. Servers of all eras check the token before anything else, so the handshake of the older one does
 * for all. A server that takes no POST (HTTP+SSE) is asked for its stream. Throws `authorization_server_unavailable`.
 */
export async function probeServer(url: string, fetch: Fetch): Promise<Probe> {
  const posted = await knock(url, fetch, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify(hello),
  });
  if (![404, 405].includes(posted.status)) return posted;
  return knock(url, fetch, { method: 'GET', headers: { accept: 'text/event-stream' } });
}

async function knock(url: string, fetch: Fetch, init: RequestInit): Promise<Answer> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(url, { ...init, signal, redirect: 'manual' });
    const { ok, status, headers } = response;
    const session = headers.get('mcp-session-id');
    if (session) void endSession(url, fetch, session);
    // The body of a success may be a stream that never ends.
    if (ok) await response.body?.cancel().catch(() => undefined);
    const body = ok ? '' : (await wholeBody(response)).toString();
    return { status, isOpen: ok || isRpcError(status, body), challenge: challengeOf(status, headers) };
  } catch (thrown) {
    if (thrown instanceof PlatformError) throw thrown;
    throw vendorUnavailable(unreachableReason(thrown), { cause: thrown });
  }
}

/** A server of the newer era alone refuses our greeting, but it has read it: it wants no token. */
function isRpcError(status: number, body: string): boolean {
  if (status !== 400) return false;
  return parsed(body)?.['jsonrpc'] === '2.0';
}

function challengeOf(status: number, headers: Headers): string | null {
  return status === 401 || status === 403 ? headers.get('www-authenticate') : null;
}

async function endSession(url: string, fetch: Fetch, session: string): Promise<void> {
  const init = { method: 'DELETE', headers: { 'mcp-session-id': session } };
  await fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) })
    .then((response) => response.body?.cancel())
    // Sessions end by themselves, too.
    .catch(() => undefined);
}
