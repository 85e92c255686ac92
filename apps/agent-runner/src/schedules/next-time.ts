import type { SchedulerRule } from '@switchyard/queue';
import { ScheduleRule, scheduleTimes } from '@switchyard/schedules';

/** A schedule's rule as its job scheduler in the queue has it. */
export function toSchedulerRule(rule: ScheduleRule): SchedulerRule {
  return rule.type === 'cron'
    ? { pattern: rule.cron, timeZone: rule.time_zone }
    : { everyMs: rule.every_s * 1_000, startsAt: Date.parse(rule.starts_at) };
}

/** When the queue wakes next: at the times of `libs/schedules`, whose clocks know what summer time does to a rule. */
export function nextTime(rule: SchedulerRule, after: number): number | null {
  return scheduleTimes(toScheduleRule(rule)).next(after);
}

function toScheduleRule(rule: SchedulerRule): ScheduleRule {
  return ScheduleRule.parse(
    'pattern' in rule
      ? { type: 'cron', cron: rule.pattern, time_zone: rule.timeZone }
      : { type: 'interval', every_s: rule.everyMs / 1_000, starts_at: new Date(rule.startsAt).toISOString() },
  );
}
