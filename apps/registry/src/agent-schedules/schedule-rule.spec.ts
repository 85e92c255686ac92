import { describe, expect, it } from '@jest/globals';
import { PlatformError } from '@switchyard/contracts';
import type { ScheduleRule } from '@switchyard/schedules';
import { ruleOf } from './schedule-rule.js';

const nightly: ScheduleRule = { type: 'cron', cron: '0 3 * * *', time_zone: 'Europe/Berlin' };
const hourly: ScheduleRule = { type: 'interval', every_s: 3_600, starts_at: '2026-01-01T00:00:00Z' };

function pathsOf(work: () => unknown): string[] {
  try {
    work();
  } catch (error) {
    const { details } = error as PlatformError;
    return (details as { errors: { path: string }[] }).errors.map(({ path }) => path);
  }
  return [];
}

describe('the rule of a schedule', () => {
  it.each<[ScheduleRule | undefined, Parameters<typeof ruleOf>[1], Partial<ScheduleRule>]>([
    [undefined, { cron: ' 0  3 * * * ' }, { type: 'cron', cron: '0 3 * * *', time_zone: 'UTC' }],
    [undefined, { interval_s: 60, starts_at: hourly.starts_at }, { ...hourly, every_s: 60 }],
    [nightly, { time_zone: 'Asia/Tokyo' }, { ...nightly, time_zone: 'Asia/Tokyo' }],
    [nightly, { cron: '0 4 * * *' }, { ...nightly, cron: '0 4 * * *' }],
    [nightly, { interval_s: 90 }, { type: 'interval', every_s: 90 }],
    [hourly, { interval_s: 90 }, { ...hourly, every_s: 90 }],
    [hourly, { cron: '0 4 * * *' }, { type: 'cron', cron: '0 4 * * *', time_zone: 'UTC' }],
    [nightly, {}, nightly],
    [hourly, {}, hourly],
  ])('of %j and %j is %j', (before, given, rule) => {
    expect(ruleOf(before, given, new Date())).toMatchObject(rule);
  });

  it.each<[ScheduleRule | undefined, Parameters<typeof ruleOf>[1], string[]]>([
    [undefined, {}, ['cron']],
    [undefined, { time_zone: 'UTC' }, ['cron']],
    [undefined, { cron: '* * * * *', interval_s: 60 }, ['interval_s']],
    [undefined, { cron: 'every day' }, ['cron']],
    [undefined, { cron: '0 3 * * *', time_zone: '+02:00' }, ['time_zone']],
    [undefined, { interval_s: 59 }, ['interval_s']],
    [undefined, { interval_s: 60, starts_at: 'tomorrow' }, ['starts_at']],
    [undefined, { interval_s: 60, starts_at: '0000-01-01T00:00:00+23:00' }, ['starts_at']],
    [hourly, { time_zone: 'UTC' }, ['time_zone']],
    [nightly, { starts_at: hourly.starts_at }, ['starts_at']],
    [undefined, { cron: '0 0 30 2 4#5' }, ['cron']],
    [nightly, { cron: '0 0 * 2 4#5' }, ['cron']],
  ])('of %j and %j is refused at %j', (before, given, paths) => {
    expect(pathsOf(() => ruleOf(before, given, new Date('2026-11-30T12:00:00Z')))).toEqual(paths);
  });

  it('has a time within eight years, over a year without a leap day too', () => {
    const now = new Date('2096-02-29T00:00:00Z');
    expect(ruleOf(undefined, { cron: '0 0 29 2 *' }, now)).toMatchObject({ cron: '0 0 29 2 *' });
    const refuse = () => ruleOf(undefined, { cron: '0 0 30 2 4#5' }, now);
    expect(refuse).toThrow(/no time within the next 8 years/);
  });

  it('that was stored before stays, whatever its next time is, until another is given', () => {
    const far: ScheduleRule = { type: 'cron', cron: '0 0 30 2 4#5', time_zone: 'UTC' };
    expect(ruleOf(far, {}, new Date('2026-11-30T12:00:00Z'))).toBe(far);
  });
});
