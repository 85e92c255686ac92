import { createHash } from 'node:crypto';

/**
 * Milliseconds until the next check of an integration. Each has its own moment within the interval, the same on
 * every replica and after every restart, so that a thousand upstreams are not all asked in one second.
 */
export function untilNextCheckMs(integrationId: string, intervalMs: number, now: number): number {
  const phaseMs = createHash('sha256').update(integrationId).digest().readUInt32BE(0) % intervalMs;
  const sincePhaseMs = (((now - phaseMs) % intervalMs) + intervalMs) % intervalMs;
  return intervalMs - sincePhaseMs;
}
