/** Why a runner lets go of a run before its end. */
export class StopRun extends Error {
  override readonly name = 'StopRun';

  constructor(readonly why: 'cancelled' | 'draining' | 'claim_lost') {
    super(`The run stops here: ${why}.`);
  }
}

/** Rejects with the signal's reason as soon as it fires. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason as Error);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
