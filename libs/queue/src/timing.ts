/** Rejects with `onLimit()` when the work takes longer. The work itself goes on; its late failure is swallowed. */
export async function withinLimit<T>(work: Promise<T>, limitMs: number, onLimit: () => Error): Promise<T> {
  let stop = () => {};
  const limit = new Promise<never>((_resolve, reject) => {
    stop = afterOwnTime(limitMs, () => reject(onLimit()));
  });
  work.catch(() => undefined);
  return Promise.race([work, limit]).finally(() => stop());
}

/** Resolves when the work is done, well or badly, or when the time is up; says whether it was done. */
export async function settledWithin(work: Promise<unknown>, limitMs: number): Promise<boolean> {
  let stop = () => {};
  const done = work.then(
    () => true,
    () => true,
  );
  const late = new Promise<boolean>((resolve) => (stop = afterOwnTime(limitMs, () => resolve(false))));
  return Promise.race([done, late]).finally(() => stop());
}

/** Delays of a reconnect: at once, then slower, at most once a second. */
export function reconnectDelayMs(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 6), 1_000);
}

const slices = 10;

/**
 * Calls back after `limitMs` in which this process could look. One that was kept from it (a busy machine, a long garbage
 * collection) finds its timers due before the answers that came meanwhile, and would take its own silence for the
 * store's: a timer that comes late counts as one slice, and what has come is read before the last one counts.
 */
function afterOwnTime(limitMs: number, then: () => void): () => void {
  let left = slices;
  let last: NodeJS.Immediate | undefined;
  const timer = setInterval(() => {
    if (--left > 0) return;
    clearInterval(timer);
    last = setImmediate(then);
  }, limitMs / slices);
  return () => {
    clearInterval(timer);
    clearImmediate(last);
  };
}
