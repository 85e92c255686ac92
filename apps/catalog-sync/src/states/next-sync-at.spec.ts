import { describe, expect, it } from '@jest/globals';
import { backOffMs } from './back-off.js';
import { nextSyncAt, type SyncPlan } from './next-sync-at.js';

const settings = { baseMs: 1_000, capMs: 60_000, permanentBaseMs: 60_000, permanentCapMs: 1_800_000 };
const middle = () => 0.5;
const now = new Date('2026-11-21T10:00:00Z');
const before = new Date('2026-11-21T10:05:00Z');
const failure = {
  stage: 'connect',
  code: 'upstream_unreachable',
  message: '',
  needsReauth: false,
  isOurs: false,
} as const;
const failed = { kind: 'sync_failed', failure, at: now, isFirst: false } as const;

function plan(
  overrides: Omit<Partial<SyncPlan>, 'standing'> & { standing?: Partial<SyncPlan['standing']> } = {},
): SyncPlan {
  const standing = {
    state: 'connected',
    consecutiveFailures: 0,
    failedSyncs: 0,
    lastFailure: null,
    ...overrides.standing,
  } as const;
  return {
    event: { kind: 'synced' },
    before,
    syncIntervalMs: 600_000,
    autoReconnect: true,
    now,
    ...overrides,
    standing,
  };
}

function delayMs(given: SyncPlan): number | null {
  const at = nextSyncAt(given, settings, middle);
  return at && at.getTime() - now.getTime();
}

describe('backOffMs', () => {
  it.each([
    [1, 1_000],
    [2, 2_000],
    [3, 4_000],
    [7, 60_000],
    [5_000, 60_000],
  ])('doubles up to its cap: attempt %i waits %i ms', (attempt, expected) => {
    expect(backOffMs(attempt, 'upstream_unreachable', settings, middle)).toBe(expected);
  });

  it.each(['upstream_denied', 'egress_denied', 'stdio_not_allowed', 'needs_reauth', 'auth_mode_unavailable'])(
    'waits longer after %s',
    (code) => {
      expect(backOffMs(1, code, settings, middle)).toBe(60_000);
      expect(backOffMs(99, code, settings, middle)).toBe(1_800_000);
    },
  );

  it('spreads by a fifth to either side', () => {
    expect([0, 1].map((random) => backOffMs(1, 'upstream_unreachable', settings, () => random))).toEqual([
      800, 1_200,
    ]);
  });
});

describe('nextSyncAt', () => {
  it.each<[string, SyncPlan, number | null]>([
    ['a sync plans the next by the interval', plan(), 600_000],
    ['interval 0 plans none', plan({ syncIntervalMs: 0 }), null],
    ['a check leaves the plan as it is', plan({ event: { kind: 'checked' } }), 300_000],
    [
      'a failed sync of a served list is tried again soon',
      plan({ event: failed, standing: { failedSyncs: 2 } }),
      2_000,
    ],
    [
      'but no later than the interval',
      plan({ event: failed, syncIntervalMs: 5_000, standing: { failedSyncs: 6 } }),
      5_000,
    ],
    [
      'disconnected backs off',
      plan({ event: failed, standing: { state: 'disconnected', failedSyncs: 4 } }),
      8_000,
    ],
    [
      'disconnected by checks starts at the beginning',
      plan({ event: { ...failed, kind: 'check_failed' }, standing: { state: 'disconnected' } }),
      1_000,
    ],
    [
      'auto_reconnect off plans nothing',
      plan({ event: failed, autoReconnect: false, standing: { state: 'disconnected', failedSyncs: 1 } }),
      null,
    ],
    [
      'a late answer does not postpone a reconnect',
      plan({ event: { kind: 'checked' }, standing: { state: 'disconnected' } }),
      300_000,
    ],
    [
      'the upstream may ask for more time',
      plan({
        event: { ...failed, failure: { ...failure, retryAfterMs: 90_000 } },
        standing: { state: 'disconnected', failedSyncs: 1 },
      }),
      90_000,
    ],
    ['disabled plans nothing', plan({ standing: { state: 'disabled' } }), null],
  ])('%s', (_what, given, expected) => {
    expect(delayMs(given)).toBe(expected);
  });
});
