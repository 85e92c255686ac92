import type { IncomingMessage } from 'node:http';
import type { PlatformError } from '@switchyard/contracts';

/** A client that goes on sending for longer is cut off. */
const patienceMs = 2_000;

/**
 * Calls `answer` once the rest of a body that is too large has come and was thrown away. The connection is closed
 * behind such an answer, and a client that is still sending then would see that alone.
 */
export function afterBody(request: IncomingMessage, error: PlatformError, answer: () => void): void {
  if (error.code !== 'payload_too_large' || request.complete || request.destroyed) return answer();
  const go = (): void => {
    clearTimeout(timer);
    request.off('end', go).off('close', go);
    answer();
  };
  const timer = setTimeout(go, patienceMs);
  request.once('end', go).once('close', go).resume();
}
