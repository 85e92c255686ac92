import { percentile } from './statistics.ts';

/** One load loop: as many calls in flight as said, until time or count is used up. */
export type Load = { inFlight: number; maxMs: number; maxCalls?: number };

/** Latencies are in milliseconds. */
export type Measured = { calls: number; errors: number; perSecond: number; p50: number; p99: number };

const defaultMaxCalls = 200_000;
const tolerableErrors = 20;

/**
 * Repeats `send`, and `check` with its answer off the clock. A call that fails counts as an error and in no latency;
 * a load that does little but fail is ended by its last error.
 */
export async function runLoad<T>(
  { send, check }: { send: () => Promise<T>; check: (answer: T) => void },
  { inFlight, maxMs, maxCalls = defaultMaxCalls }: Load,
): Promise<Measured> {
  const latencies: number[] = [];
  let started = 0;
  let errors = 0;
  const beganAt = performance.now();
  const loop = async (): Promise<void> => {
    while (started < maxCalls && performance.now() - beganAt < maxMs) {
      started++;
      const sentAt = performance.now();
      try {
        const answer = await send();
        const latency = performance.now() - sentAt;
        check(answer);
        latencies.push(latency);
      } catch (error) {
        if (++errors > tolerableErrors && errors > latencies.length) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: inFlight }, loop));
  const seconds = (performance.now() - beganAt) / 1_000;
  const sorted = Float64Array.from(latencies).sort();
  const perSecond = latencies.length / seconds;
  return {
    calls: sorted.length,
    errors,
    perSecond,
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
  };
}
