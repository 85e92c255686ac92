import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits until `probe` resolves to something other than `false` or `undefined`, and gives it. A probe that throws
 * (an `expect` for instance) is tried again; at the end its error is thrown. 30 s by default, for machines that are busy.
 */
export async function eventually<T>(
  probe: () => Promise<T> | T,
  options: { timeoutMs?: number; intervalMs?: number } = {},
): Promise<Exclude<T, false | undefined>> {
  const { timeoutMs = 30_000, intervalMs = 20 } = options;
  const giveUpAt = Date.now() + timeoutMs;
  for (;;) {
    let failure: unknown = new Error(`still not true after ${timeoutMs} ms`);
    try {
      const value = await probe();
      if (value !== false && value !== undefined) return value as Exclude<T, false | undefined>;
    } catch (error) {
      failure = error;
    }
    if (Date.now() >= giveUpAt) throw failure;
    await delay(intervalMs);
  }
}
