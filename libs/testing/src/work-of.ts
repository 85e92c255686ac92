const referenceSteps = 20_000_000;

/**
 * How much processor time `work` takes, in millions of steps of a plain loop that is measured right beside it: a ratio
 * within one run, which a slow or busy machine moves little. One such step takes about a nanosecond.
 */
export function workOf(work: () => void): number {
  const measured = cpuMicrosOf(work);
  const reference = cpuMicrosOf(() => plainLoop(referenceSteps));
  return (measured / reference) * (referenceSteps / 1_000_000);
}

/** Time in which the process waits for the processor does not count. */
function cpuMicrosOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return Math.max(1, user + system);
}

/** As the guarded code works: over bytes, with a condition. */
function plainLoop(steps: number): number {
  const bytes = new Uint8Array(4_096);
  let marks = 0;
  for (let step = 0; step < steps; step++) {
    const at = step & 4_095;
    if (bytes[at] === 0) bytes[at] = step & 1;
    else marks++;
  }
  return marks;
}
