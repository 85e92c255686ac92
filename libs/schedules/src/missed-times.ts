import type { ScheduleTimes } from './schedule-times.js';

/** What becomes of times at which nobody ran the schedule: nothing, the last one, or all of them. */
export const catchUpRules = ['none', 'last', 'all'] as const;
export type CatchUpRule = (typeof catchUpRules)[number];

export type MissedOptions = {
  /** The last time that was dealt with. It and what was before it are not missed. */
  readonly after: number;
  /** Now: a time at this very instant counts. */
  readonly until: number;
  readonly rule: CatchUpRule;
  /** Most times that `all` gives. */
  readonly limit?: number;
};

/** `hasMore`: older times were missed too, and are not made up for. */
export type MissedTimes = { readonly times: readonly number[]; readonly hasMore: boolean };

const defaultLimit = 100;

/**
 * The missed times to make up for, oldest first. Where `all` finds more than its limit it gives the newest: after a
 * week of being down, an agent that runs every minute should not begin with last week.
 */
export function missedTimes(schedule: ScheduleTimes, options: MissedOptions): MissedTimes {
  const { after, until, rule, limit = defaultLimit } = options;
  const most = { none: 0, last: 1, all: limit }[rule];
  const times: number[] = [];
  let time = schedule.previous(until + 1);
  while (time !== null && time > after && times.length < most) {
    times.unshift(time);
    time = schedule.previous(time);
  }
  return { times, hasMore: time !== null && time > after };
}
