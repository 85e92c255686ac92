import { PlatformError } from '@switchyard/contracts';

/** No connection came about, or it broke before an answer. An answer that is late says nothing of the connection. */
const connectionFailures = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_SOCKET',
]);

/** Whether the connection to the owner failed. `error` is the proxy's, with the client's own as its cause. */
export function isConnectionFailure({ cause }: Error): boolean {
  return (
    typeof cause === 'object' &&
    cause !== null &&
    'code' in cause &&
    connectionFailures.has(String(cause.code))
  );
}

type Forwarded = { readonly method: string; readonly url: string };

/** What a caller is told whose request got no answer from `owner`. */
export function forwardFailure(owner: string, request: Forwarded, cause: Error): PlatformError {
  const message = `The ${owner} is not reachable.`;
  return new PlatformError('dependency_unavailable', {
    ...{ message, cause },
    ...(isChatMessage(request) && {
      next: 'The message may have been taken: send it again under the same Idempotency-Key, or look at the conversation first if it had none.',
    }),
  });
}

function isChatMessage({ method, url }: Forwarded): boolean {
  return method === 'POST' && /^\/api\/chat\/?(\?|$)/.test(url);
}
