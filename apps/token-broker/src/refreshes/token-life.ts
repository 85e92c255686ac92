import type { Credential } from '../credentials/credential.js';

type Life = Pick<Credential, 'expiresAt' | 'lastRefreshedAt'>;

const usualMarginMs = 60_000;
/** Workers must not use a token up to its last moment: clocks differ, and calls take their time. */
export const leaseMarginMs = 30_000;

/** Whether a lease should not be made of it without a refresh: a minute, or a fifth of a short life, before its end. */
export function isStale(life: Life, now: number): boolean {
  if (!life.expiresAt) return false;
  return life.expiresAt.getTime() - marginOf(life) <= now;
}

/** Whether the vendor still takes it. */
export function isAlive({ expiresAt }: Life, now: number): boolean {
  return expiresAt === null || expiresAt.getTime() > now + 1_000;
}

/** Until when a worker may keep a lease of it. A token that lives for less is leased for one use at a time. */
export function leaseEnd(expiresAt: number | null, now: number, ttlMs: number): number {
  if (expiresAt === null) return now + ttlMs;
  return Math.max(now, Math.min(now + ttlMs, expiresAt - leaseMarginMs));
}

/** Doubles with each failure, from one second to a minute, and not in step with other replicas. */
export function coolDownMs(failures: number, retryAfterMs: number | null): number {
  const pause = Math.min(60_000, 1_000 * 2 ** Math.max(0, failures - 1));
  const jittered = pause * (0.8 + Math.random() * 0.4);
  return Math.round(Math.max(jittered, Math.min(retryAfterMs ?? 0, 600_000)));
}

function marginOf({ expiresAt, lastRefreshedAt }: Life): number {
  if (!expiresAt || !lastRefreshedAt) return usualMarginMs;
  return Math.min(usualMarginMs, (expiresAt.getTime() - lastRefreshedAt.getTime()) / 5);
}
