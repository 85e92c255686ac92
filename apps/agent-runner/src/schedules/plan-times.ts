import type { OverlapRule } from '@switchyard/contracts';
import { type CatchUpRule, missedTimes, type ScheduleTimes } from '@switchyard/schedules';

/** What becomes of one time of a schedule. */
export type PlannedTime = {
  readonly dueAt: number;
  readonly outcome: 'started' | 'held' | 'skipped';
  /** Of one that is skipped. */
  readonly why: string | null;
};

export type TimesToPlan = {
  readonly times: ScheduleTimes;
  readonly overlap: OverlapRule;
  readonly catchUp: CatchUpRule;
  /** Epoch milliseconds: what was due by then was dealt with. */
  readonly handledUntil: number;
  readonly now: number;
  /** Runs of the schedule that have not ended, those that are held among them. */
  readonly openRuns: number;
};

/** A time that is looked after so late is no longer missed by nobody's fault: runners were down. */
const onTimeMs = 60_000;
/** So many runs of one schedule may wait for each other, those that somebody asked for among them. */
export const mostOpen = 100;
/** Times that are dealt with in one go, the newest; those before are forgotten. */
const mostTimes = 100;

/**
 * What becomes of the times that are due by now: those of the last minute run, older ones as the catch-up rule says; and none
 * while a run of the schedule has not ended, unless its rule lets it wait for that one.
 */
export function planTimes(schedule: TimesToPlan): PlannedTime[] {
  const { times, handledUntil: after, now: until } = schedule;
  const due = missedTimes(times, { after, until, rule: 'all', limit: mostTimes }).times;
  const wanted = new Set(wantedTimes(due, schedule));
  let open = schedule.openRuns;
  return due.map((dueAt) => {
    const why = wanted.has(dueAt) ? whySkipped(schedule.overlap, open) : 'missed';
    if (why !== null) return { dueAt, outcome: 'skipped', why };
    return { dueAt, outcome: open++ === 0 ? 'started' : 'held', why };
  });
}

function whySkipped(overlap: OverlapRule, openRuns: number): string | null {
  if (openRuns > 0 && overlap === 'skip') return 'overlap';
  return openRuns >= mostOpen ? 'queue_full' : null;
}

function wantedTimes(due: readonly number[], { catchUp, now }: TimesToPlan): readonly number[] {
  const onTime = due.filter((time) => time >= now - onTimeMs);
  switch (catchUp) {
    case 'none':
      return onTime;
    case 'last':
      return onTime.length > 0 ? onTime : due.slice(-1);
    case 'all':
      return due;
  }
}
