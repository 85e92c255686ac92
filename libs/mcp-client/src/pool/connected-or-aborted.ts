import { toUpstreamError } from '../failures/to-upstream-error.js';

/**
 * Waits for a connection that others wait for too: whoever gives up leaves, and the connection goes on. Rejects with the
 * connection's error, or with `cancelled` or `deadline_exceeded`, not sent.
 */
export async function connectedOrAborted<T>(connecting: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return connecting;
  connecting.catch(() => undefined);
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(toUpstreamError(signal.reason, { requestSent: false }, { signal }));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([connecting, aborted]);
  } finally {
    if (onAbort) signal.removeEventListener('abort', onAbort);
  }
}
