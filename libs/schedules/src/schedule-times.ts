import { cronTimes } from './cron/cron-times.js';
import type { ScheduleRule } from './schedule-rule.js';

/** The times of a rule, as epoch milliseconds. */
export type ScheduleTimes = {
  /** The first time after an instant; null when there is none, of cron within eight years. */
  readonly next: (after: number) => number | null;
  /** The last time before an instant; null when there is none, of cron within eight years. */
  readonly previous: (before: number) => number | null;
};

/** Compiles a rule. */
export function scheduleTimes(rule: ScheduleRule): ScheduleTimes {
  if (rule.type === 'interval') return intervalTimes(Date.parse(rule.starts_at), rule.every_s * 1_000);
  const times = cronTimes(rule.cron, rule.time_zone);
  return { next: (after) => times.next(after), previous: (before) => times.previous(before) };
}

function intervalTimes(start: number, everyMs: number): ScheduleTimes {
  return {
    next: (after) => (after < start ? start : start + (Math.floor((after - start) / everyMs) + 1) * everyMs),
    previous: (before) =>
      before <= start ? null : start + (Math.ceil((before - start) / everyMs) - 1) * everyMs,
  };
}
