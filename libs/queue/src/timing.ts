import { setTimeout as delay } from 'node:timers/promises';

/** Rejects with `onLimit()` when the work takes longer. The work itself goes on; its late failure is swallowed. */
export async function withinLimit<T>(work: Promise<T>, limitMs: number, onLimit: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(onLimit()), limitMs);
  });
  work.catch(() => undefined);
  return Promise.race([work, limit]).finally(() => clearTimeout(timer));
}

/** Resolves when the work is done, well or badly, or when the time is up; says whether it was done. */
export async function settledWithin(work: Promise<unknown>, limitMs: number): Promise<boolean> {
  const done = work.then(
    () => true,
    () => true,
  );
  const stop = new AbortController();
  const late = delay(limitMs, false, { signal: stop.signal }).catch(() => false);
  return Promise.race([done, late]).finally(() => stop.abort());
}

/** Delays of a reconnect: at once, then slower, at most once a second. */
export function reconnectDelayMs(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 6), 1_000);
}
