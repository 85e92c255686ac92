import { backOffMs, type BackOffSettings } from './back-off.js';
import type { Standing, StandingEvent } from './next-standing.js';

export type SyncPlan = {
  readonly standing: Standing;
  readonly event: StandingEvent;
  /** When the next sync was due before the event. */
  readonly before: Date | null;
  /** 0 = no sync by interval. */
  readonly syncIntervalMs: number;
  readonly autoReconnect: boolean;
  readonly now: Date;
};

/** When the integration is synced next without anybody asking; null for never. Pure but for the jitter. */
export function nextSyncAt(
  plan: SyncPlan,
  settings: BackOffSettings,
  random: () => number = Math.random,
): Date | null {
  const { standing, event, now } = plan;
  switch (standing.state) {
    case 'disabled':
      return null;
    case 'disconnected':
    case 'needs_reauth':
      if (event.kind === 'checked') return plan.before;
      return plan.autoReconnect ? later(now, retryDelayMs(plan, settings, random)) : null;
    default:
      if (event.kind === 'synced') return plan.syncIntervalMs > 0 ? later(now, plan.syncIntervalMs) : null;
      if (event.kind === 'sync_failed') return later(now, boundedRetryMs(plan, settings, random));
      return plan.before;
  }
}

function retryDelayMs(
  { standing, event }: SyncPlan,
  settings: BackOffSettings,
  random: () => number,
): number {
  const code = standing.lastFailure?.code ?? 'upstream_unreachable';
  const asked = 'failure' in event ? (event.failure.retryAfterMs ?? 0) : 0;
  return Math.max(asked, backOffMs(Math.max(1, standing.failedSyncs), code, settings, random));
}

/** While the old list is served, a failed sync is tried again no later than the next one would have been. */
function boundedRetryMs(plan: SyncPlan, settings: BackOffSettings, random: () => number): number {
  const delay = retryDelayMs(plan, settings, random);
  return plan.syncIntervalMs > 0 ? Math.min(delay, plan.syncIntervalMs) : delay;
}

function later(now: Date, delayMs: number): Date {
  return new Date(now.getTime() + delayMs);
}
