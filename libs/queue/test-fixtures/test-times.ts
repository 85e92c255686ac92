import type { NextTime } from '@switchyard/queue';

/** Times for tests: an interval from its start on, or the one time that the pattern is. */
export const testTimes: NextTime = (rule, after) => {
  if ('pattern' in rule) return after < Number(rule.pattern) ? Number(rule.pattern) : null;
  const { everyMs, startsAt } = rule;
  return after < startsAt ? startsAt : startsAt + (Math.floor((after - startsAt) / everyMs) + 1) * everyMs;
};
