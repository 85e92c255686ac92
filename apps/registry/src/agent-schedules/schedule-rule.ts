import { ScheduleRule, scheduleTimes } from '@switchyard/schedules';
import type { FieldError } from '@switchyard/service-kit';
import { refuseFields } from '../http/refuse-fields.js';
import type { UpdateScheduleBody } from './agent-schedule.schemas.js';

type Given = Pick<UpdateScheduleBody, 'cron' | 'time_zone' | 'interval_s' | 'starts_at'>;

const fields = {
  cron: 'cron',
  time_zone: 'time_zone',
  every_s: 'interval_s',
  starts_at: 'starts_at',
} as const;

/**
 * When a schedule runs, by what the body names; the rest is as it was, as long as it goes with it. Throws `invalid_request`
 * that names the fields. `now` is when the schedule begins: the first time after it is the first one.
 */
export function ruleOf(before: ScheduleRule | undefined, given: Given, now: Date): ScheduleRule {
  if (before && Object.values(fields).every((name) => given[name] === undefined)) return before;
  const rule = parseRule(before, given, now);
  if (scheduleTimes(rule).next(now.getTime()) === null)
    refuseFields([{ path: 'cron', message: 'The cron expression has no time within the next 8 years.' }]);
  return rule;
}

function parseRule(before: ScheduleRule | undefined, given: Given, now: Date): ScheduleRule {
  const type = typeOf(given) ?? before?.type;
  if (type === undefined)
    refuseFields([
      { path: 'cron', message: 'is missing: give cron with time_zone, or interval_s with starts_at' },
    ]);
  if (given.cron !== undefined && given.interval_s !== undefined)
    refuseFields([{ path: 'interval_s', message: 'is given beside cron: a schedule has one of the two' }]);
  const isInterval = type === 'interval';
  refuseFields(strangers(given, isInterval ? ['time_zone'] : ['interval_s', 'starts_at']));
  const parsed = ScheduleRule.safeParse(isInterval ? intervalOf(before, given, now) : cronOf(before, given));
  if (parsed.success) return parsed.data;
  refuseFields(parsed.error.issues.map(({ path, message }) => ({ path: fieldOf(path[0]), message })));
  throw parsed.error;
}

function typeOf({ cron, interval_s: interval }: Given): ScheduleRule['type'] | undefined {
  if (cron !== undefined) return 'cron';
  return interval === undefined ? undefined : 'interval';
}

function cronOf(before: ScheduleRule | undefined, { cron, time_zone: zone }: Given) {
  const kept = before?.type === 'cron' ? before : undefined;
  return { type: 'cron', cron: cron ?? kept?.cron, time_zone: zone ?? kept?.time_zone };
}

function intervalOf(
  before: ScheduleRule | undefined,
  { interval_s: every, starts_at: start }: Given,
  now: Date,
) {
  const kept = before?.type === 'interval' ? before : undefined;
  const startsAt = start ?? kept?.starts_at ?? now.toISOString();
  return { type: 'interval', every_s: every ?? kept?.every_s, starts_at: startsAt };
}

function strangers(given: Given, names: readonly (keyof Given)[]): FieldError[] {
  return names
    .filter((name) => given[name] !== undefined)
    .map((path) => ({
      path,
      message: `goes with ${path === 'time_zone' ? 'cron' : 'interval_s, and not with cron'}`,
    }));
}

function fieldOf(name: PropertyKey | undefined): string {
  return Object.hasOwn(fields, String(name)) ? fields[name as keyof typeof fields] : 'cron';
}
