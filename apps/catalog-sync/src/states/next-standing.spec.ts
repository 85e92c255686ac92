import { describe, expect, it } from '@jest/globals';
import type { IntegrationState, LastFailure } from '@switchyard/contracts';
import type { Failure } from './failure.js';
import { nextStanding, type Standing, type StandingEvent } from './next-standing.js';

const settings = { failureThreshold: 5 };
const at = new Date('2026-11-21T10:00:00Z');
const earlier = '2026-11-21T09:00:00.000Z';

function failure(overrides: Partial<Failure> = {}): Failure {
  return {
    stage: 'connect',
    code: 'upstream_unreachable',
    message: 'no answer',
    needsReauth: false,
    isOurs: false,
    ...overrides,
  };
}

function standing(state: IntegrationState, overrides: Partial<Standing> = {}): Standing {
  return { state, consecutiveFailures: 0, failedSyncs: 0, lastFailure: null, ...overrides };
}

function past(stage: LastFailure['stage']): LastFailure {
  return { stage, code: 'upstream_unreachable', message: 'before', at: earlier, since: earlier };
}

const checked: StandingEvent = { kind: 'checked' };
const synced: StandingEvent = { kind: 'synced' };
const checkFailed: StandingEvent = { kind: 'check_failed', failure: failure({ stage: 'ping' }), at };
const denied: StandingEvent = {
  kind: 'check_failed',
  failure: failure({ stage: 'ping', code: 'upstream_denied', needsReauth: true }),
  at,
};
const syncFailed = (overrides: Partial<Failure> = {}, isFirst = false): StandingEvent => ({
  kind: 'sync_failed',
  failure: failure(overrides),
  at,
  isFirst,
});

describe('nextStanding', () => {
  it.each<[string, Standing, StandingEvent, IntegrationState]>([
    ['a first list makes it connected', standing('connecting'), synced, 'connected'],
    [
      'a failed first list makes it disconnected',
      standing('connecting'),
      syncFailed({ stage: 'list' }, true),
      'disconnected',
    ],
    [
      'a refused credential needs somebody',
      standing('connecting'),
      syncFailed({ needsReauth: true }, true),
      'needs_reauth',
    ],
    ['a failed check makes it unstable', standing('connected'), checkFailed, 'unstable'],
    [
      'the fourth failed check keeps it unstable',
      standing('unstable', { consecutiveFailures: 3 }),
      checkFailed,
      'unstable',
    ],
    [
      'the fifth failed check disconnects it',
      standing('unstable', { consecutiveFailures: 4 }),
      checkFailed,
      'disconnected',
    ],
    [
      'a passed check makes it connected',
      standing('unstable', { consecutiveFailures: 4 }),
      checked,
      'connected',
    ],
    ['a ping that is refused needs somebody', standing('connected'), denied, 'needs_reauth'],
    ['a failed list keeps what is served', standing('connected'), syncFailed({ stage: 'list' }), 'connected'],
    [
      'a lease that fails keeps what is served',
      standing('connected'),
      syncFailed({ stage: 'lease' }),
      'connected',
    ],
    ['a sync that cannot connect counts as a failed check', standing('connected'), syncFailed(), 'unstable'],
    [
      'a new address that cannot be listed disconnects it',
      standing('connected'),
      syncFailed({}, true),
      'disconnected',
    ],
    ['a passed check does not reconnect it', standing('disconnected'), checked, 'disconnected'],
    ['a sync reconnects it', standing('disconnected'), synced, 'connected'],
    ['a reconnect that fails leaves it disconnected', standing('disconnected'), syncFailed(), 'disconnected'],
    ['a network failure is no new credential', standing('needs_reauth'), syncFailed(), 'needs_reauth'],
    ['a sync shows that the credential works again', standing('needs_reauth'), synced, 'connected'],
    ['nothing enables it but its admin', standing('disabled'), synced, 'disabled'],
  ])('%s', (_what, before, event, state) => {
    expect(nextStanding(before, event, settings).state).toBe(state);
  });

  it('starts counting anew after a check that passes', () => {
    const after = nextStanding(standing('unstable', { consecutiveFailures: 4 }), checked, settings);

    expect(nextStanding(after, checkFailed, settings)).toMatchObject({
      state: 'unstable',
      consecutiveFailures: 1,
    });
  });

  it('says since when it fails', () => {
    const first = nextStanding(standing('connected'), checkFailed, settings);
    const second = nextStanding(
      first,
      { ...checkFailed, at: new Date(at.getTime() + 10_000) } as StandingEvent,
      settings,
    );

    expect(second.lastFailure).toEqual({
      stage: 'ping',
      code: 'upstream_unreachable',
      message: 'no answer',
      at: '2026-11-21T10:00:10.000Z',
      since: '2026-11-21T10:00:00.000Z',
    });
  });

  it.each<[string, Standing, StandingEvent, boolean]>([
    [
      'a passed check forgets a failed ping',
      standing('unstable', { lastFailure: past('ping') }),
      checked,
      true,
    ],
    [
      'a passed check remembers a failed list',
      standing('connected', { lastFailure: past('list') }),
      checked,
      false,
    ],
    [
      'a passed check remembers why it is disconnected',
      standing('disconnected', { lastFailure: past('ping') }),
      checked,
      false,
    ],
    ['a sync forgets every failure', standing('disconnected', { lastFailure: past('list') }), synced, true],
  ])('%s', (_what, before, event, isForgotten) => {
    expect(nextStanding(before, event, settings).lastFailure === null).toBe(isForgotten);
  });

  it('counts failed syncs until one succeeds', () => {
    const failed = nextStanding(standing('disconnected', { failedSyncs: 2 }), syncFailed(), settings);

    expect(failed.failedSyncs).toBe(3);
    expect(nextStanding(failed, synced, settings).failedSyncs).toBe(0);
  });
});
