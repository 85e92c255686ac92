import type { PlatformError } from '@switchyard/contracts';

const firstDelayMs = 1_000;
/** Whoever is told to wait longer is better told so than kept waiting. */
const longestDelayMs = 60_000;
const mayPass = new Set(['model_unavailable', 'model_rate_limited', 'model_protocol_error']);

/** How long to wait before the next attempt; null: do not try again. `attempt` is the one that failed, from 1. */
export function retryDelayMs(error: PlatformError, attempt: number, maxRetries: number): number | null {
  if (attempt > maxRetries || !mayPass.has(error.code)) return null;
  const delayMs = error.retryAfterMs ?? firstDelayMs * 2 ** (attempt - 1);
  return delayMs > longestDelayMs ? null : delayMs;
}
