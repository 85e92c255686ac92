import type { IntegrationState, LastFailure } from '@switchyard/contracts';
import type { Failure } from './failure.js';

/** How an integration stands, as far as events change it. */
export type Standing = {
  readonly state: IntegrationState;
  /** Failed checks since the last that passed. */
  readonly consecutiveFailures: number;
  /** Failed syncs since the last that succeeded; the back-off counts them. */
  readonly failedSyncs: number;
  readonly lastFailure: LastFailure | null;
};

export type StandingEvent =
  /** A ping or a call was answered. */
  | { readonly kind: 'checked' }
  | { readonly kind: 'check_failed'; readonly failure: Failure; readonly at: Date }
  | { readonly kind: 'synced' }
  /** `isFirst`: the upstream, as it is configured now, was never listed, so there is nothing to keep serving. */
  | { readonly kind: 'sync_failed'; readonly failure: Failure; readonly at: Date; readonly isFirst: boolean };

export type StandingSettings = { readonly failureThreshold: number };

type Step = (standing: Standing, settings: StandingSettings) => Partial<Standing>;

const stay: Step = () => ({});
const connect: Step = () => ({ state: 'connected', consecutiveFailures: 0 });
const disconnect: Step = () => ({ state: 'disconnected' });

/** One failed check more: served as unstable until the threshold is reached. */
const count: Step = ({ consecutiveFailures }, { failureThreshold }) => {
  const failures = consecutiveFailures + 1;
  return { consecutiveFailures: failures, state: failures >= failureThreshold ? 'disconnected' : 'unstable' };
};

/**
 * What each kind of event does in each state. A failed first sync, a failed list and a dead credential are kinds of
 * their own: a list that fails where pings are answered changes nothing for those who call the tools listed before.
 */
// prettier-ignore
const steps: Record<IntegrationState, Record<EventKind, Step>> = {
  connecting: { checked: stay, check_failed: stay, synced: connect, first_sync_failed: disconnect, connect_failed: disconnect, list_failed: disconnect, denied: reauth },
  connected: { checked: connect, check_failed: count, synced: connect, first_sync_failed: disconnect, connect_failed: count, list_failed: stay, denied: reauth },
  unstable: { checked: connect, check_failed: count, synced: connect, first_sync_failed: disconnect, connect_failed: count, list_failed: stay, denied: reauth },
  disconnected: { checked: stay, check_failed: stay, synced: connect, first_sync_failed: stay, connect_failed: stay, list_failed: stay, denied: reauth },
  needs_reauth: { checked: stay, check_failed: stay, synced: connect, first_sync_failed: disconnect, connect_failed: stay, list_failed: stay, denied: reauth },
  disabled: { checked: stay, check_failed: stay, synced: stay, first_sync_failed: stay, connect_failed: stay, list_failed: stay, denied: stay },
};

type EventKind =
  'checked' | 'check_failed' | 'synced' | 'first_sync_failed' | 'connect_failed' | 'list_failed' | 'denied';

function reauth(): Partial<Standing> {
  return { state: 'needs_reauth' };
}

/** The standing after an event. Pure. */
export function nextStanding(standing: Standing, event: StandingEvent, settings: StandingSettings): Standing {
  if (standing.state === 'disabled') return standing;
  const kind = kindOf(event);
  const next = { ...standing, ...steps[standing.state][kind](standing, settings) };
  return { ...next, failedSyncs: failedSyncs(standing, event), lastFailure: lastFailure(standing, event) };
}

function kindOf(event: StandingEvent): EventKind {
  if (event.kind === 'checked' || event.kind === 'synced') return event.kind;
  if (event.failure.needsReauth) return 'denied';
  if (event.kind === 'check_failed') return event.kind;
  if (event.isFirst) return 'first_sync_failed';
  return event.failure.stage === 'connect' ? 'connect_failed' : 'list_failed';
}

function failedSyncs({ failedSyncs: before }: Standing, event: StandingEvent): number {
  if (event.kind === 'synced') return 0;
  return event.kind === 'sync_failed' ? before + 1 : before;
}

function lastFailure({ lastFailure: before, state }: Standing, event: StandingEvent): LastFailure | null {
  switch (event.kind) {
    case 'synced':
      return null;
    case 'checked':
      // A ping that passes says nothing about a list that failed, nor about a connection that nobody tried again.
      return state === 'disconnected' ||
        state === 'needs_reauth' ||
        before?.stage === 'list' ||
        before?.stage === 'lease'
        ? before
        : null;
    default: {
      const { stage, code, message } = event.failure;
      const at = event.at.toISOString();
      return { stage, code, message, at, since: before?.since ?? at };
    }
  }
}
