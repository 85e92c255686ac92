import { describe, expect, it } from '@jest/globals';
import { ScheduleRule } from './schedule-rule.js';

const messagesOf = (rule: unknown): string[] =>
  ScheduleRule.safeParse(rule).error?.issues.map(({ message }) => message) ?? [];
const cron = (expression: string, time_zone = 'UTC') => ({ type: 'cron', cron: expression, time_zone });

describe('a rule with a cron expression', () => {
  it.each([
    '* * * * *',
    '*/5 9-17 * * MON-FRI',
    '0 0 1,15 * *',
    '0 0 L * *',
    '0 12 * mar thu',
    '0 0 * * 1#2',
    '0 0 29 2 *',
    '0 0 ? * 7',
  ])('%s is taken', (expression) => {
    expect(messagesOf(cron(expression))).toEqual([]);
  });

  it('is written with single spaces, and in UTC where nothing is said', () => {
    expect(ScheduleRule.parse({ type: 'cron', cron: ' 0  2 * *\t* ' })).toEqual(cron('0 2 * * *'));
  });

  it.each([
    ['', 'must have five fields (minute, hour, day of the month, month, day of the week), not 0'],
    ['0 2 * *', /five fields .*not 4/],
    ['0 0 2 * * *', /five fields .*not 6/],
    ['@daily', /five fields .*not 1/],
    ['61 * * * *', 'has a wrong minute, "61": 61 is not within 0-59'],
    ['0 24 * * *', 'has a wrong hour, "24": 24 is not within 0-23'],
    ['0 0 0 * *', /wrong day of the month, "0": 0 is not within 1-31/],
    ['0 0 * 13 *', /wrong month/],
    ['0 0 * * 8', /wrong day of the week/],
    ['0 5-1 * * *', /wrong hour, "5-1"/],
    ['*/0 * * * *', /wrong minute, "\*\/0"/],
    ['H * * * *', /wrong minute, "H": H is not known/],
    ['0 0 * * thuh', /wrong day of the week/],
    ['0 0 $(id) * *', /wrong day of the month, .*only digits/],
    ['0 0 30 2 *', 'names a day that never comes'],
    ['0 0 31 4,6 *', 'names a day that never comes'],
    [`${'0,'.repeat(150)}0 * * * *`, /longer than 200/],
  ])('%j is refused in clear words', (expression, words) => {
    const [message] = messagesOf(cron(expression));
    if (typeof words === 'string') expect(message).toBe(`The cron expression ${words}.`);
    else expect(message).toMatch(words);
  });

  it.each(['Mars/Olympus', '+02:00', '', "'; DROP TABLE", 'x'.repeat(65)])('refuses the zone %j', (zone) => {
    expect(messagesOf(cron('0 0 * * *', zone)).join()).toMatch(/time zone|at most|Too big/i);
  });
});

describe('the time zone of a rule', () => {
  it.each([
    ['europe/BERLIN', 'Europe/Berlin'],
    ['utc', 'UTC'],
    ['america/port-au-prince', 'America/Port-au-Prince'],
    ['Asia/Kolkata', 'Asia/Kolkata'],
    ['Asia/Calcutta', 'Asia/Calcutta'],
    ['Etc/UTC', 'Etc/UTC'],
  ])('%s is %s', (given, known) => {
    expect(ScheduleRule.parse(cron('0 2 * * *', given))).toEqual(cron('0 2 * * *', known));
  });
});

describe('a rule with an interval', () => {
  const interval = { type: 'interval', every_s: 60, starts_at: '2026-01-01T00:00:00+01:00' };

  it('is taken from a minute to a year', () => {
    expect(messagesOf(interval)).toEqual([]);
    expect(messagesOf({ ...interval, every_s: 59 })).toEqual(['The interval must be at least 60 seconds.']);
    expect(messagesOf({ ...interval, every_s: 40_000_000 })).toHaveLength(1);
  });

  it.each([
    ['0000-01-01T00:00:00+23:00', false],
    ['1970-01-01T00:00:00+00:01', false],
    ['1970-01-01T00:00:00Z', true],
    ['9998-12-31T23:59:59Z', true],
    ['9998-12-31T23:59:59-00:01', false],
    ['9999-12-31T23:59:59-23:00', false],
  ])('from %s: taken is %p', (starts_at, isTaken) => {
    expect(messagesOf({ ...interval, starts_at })).toEqual(
      isTaken ? [] : ['The first time must be within the years 1970 to 9998, in UTC.'],
    );
  });

  it('needs a time with its offset to count from', () => {
    expect(messagesOf({ ...interval, starts_at: '2026-01-01T00:00:00' })).toHaveLength(1);
  });
});
