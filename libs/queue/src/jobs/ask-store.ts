import { PlatformError } from '@switchyard/contracts';
import { withinLimit } from '../timing.js';
import type { QueueStore } from './queue-store.js';

/** How long a store that reconnects is waited for, and then for its answer. */
const reachableWithinMs = 1_000;
export const answersWithinMs = 2_000;

/**
 * Puts a question to the store and ends within about three seconds, or a second after `limitMs`, whatever becomes of
 * it. Rejects with `queue_unavailable`; see `storeUnavailable`.
 */
export async function askStore<T>(
  store: QueueStore,
  question: () => Promise<T>,
  limitMs = answersWithinMs,
): Promise<T> {
  if (!(await store.reachable(reachableWithinMs))) throw storeUnavailable('no');
  try {
    return await withinLimit(question(), limitMs, () => new Error('the queue store does not answer'));
  } catch (error) {
    throw storeUnavailable(store.refused(error) ? 'no' : 'unknown', error);
  }
}

/**
 * The error of a queue that cannot be reached. `details.enqueued` is `no` when what was asked has certainly not
 * happened, and `unknown` when the connection broke before the store answered: a job may be stored, and run.
 */
export function storeUnavailable(enqueued: 'no' | 'unknown', cause?: unknown): PlatformError {
  const message = enqueued === 'unknown' ? 'It is not known whether the job was stored.' : undefined;
  return new PlatformError('queue_unavailable', { message, details: { enqueued }, cause });
}
