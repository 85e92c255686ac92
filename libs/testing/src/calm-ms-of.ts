const tickMs = 20;

/**
 * How many milliseconds `work` takes, by a clock that stands still while the machine keeps this process waiting: it
 * counts what a timer of 20 ms fires, and a timer that comes late fires once. For promises of a product in seconds
 * (a revoked key is out within two), which a wall clock would call broken whenever the machine is busy. It does not see
 * what blocks this process itself: `workOf` measures that.
 */
export async function calmMsOf(work: () => Promise<unknown>): Promise<number> {
  let ticks = 0;
  const timer = setInterval(() => ticks++, tickMs);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return ticks * tickMs;
}
