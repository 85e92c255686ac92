/**
 * Runs as a process of its own and outlives the service by an instant: when its stdin ends, because the service
 * closed it or was killed, it kills every process group that was still registered. Lines: `+<pgid>`, `-<pgid>`.
 */
import { createInterface } from 'node:readline';

const groups = new Set<number>();

// It must survive the signals that end the service, or nobody is left to clean up.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const group = Number(line.slice(1));
  // 0 and 1 would address our own group and every process there is.
  if (!Number.isInteger(group) || group <= 1) return;
  if (line.startsWith('+')) groups.add(group);
  else groups.delete(group);
});
lines.on('close', () => {
  for (const group of groups) {
    try {
      process.kill(-group, 'SIGKILL');
    } catch {
      // The group has ended already.
    }
  }
  process.exit(0);
});
