import { describe, expect, it } from '@jest/globals';
import { ScheduleRule } from './schedule-rule.js';
import { scheduleTimes } from './schedule-times.js';

const minute = 60_000;
const at = (text: string): number => Date.parse(text);
const short = (time: number | null): string =>
  time === null ? 'never' : new Date(time).toISOString().slice(5, 16);

function cron(expression: string, time_zone: string) {
  return scheduleTimes(ScheduleRule.parse({ type: 'cron', cron: expression, time_zone }));
}

/** Times between two instants, found forward, and backward. */
function both(expression: string, zone: string, from: string, to: string) {
  const times = cron(expression, zone);
  const [forward, backward]: number[][] = [[], []];
  for (let time = times.next(at(from)); time !== null && time < at(to); time = times.next(time))
    forward!.push(time);
  for (let time = times.previous(at(to)); time !== null && time > at(from); time = times.previous(time))
    backward!.unshift(time);
  expect(backward).toEqual(forward);
  return forward!.map(short);
}

describe('cron on the clocks of a zone', () => {
  it('follows the zone through the year', () => {
    const times = cron('30 9 * * MON-FRI', 'Europe/Berlin');
    expect(short(times.next(at('2026-01-02T12:00:00Z')))).toBe('01-05T08:30');
    expect(short(times.next(at('2026-07-03T12:00:00Z')))).toBe('07-06T07:30');
    expect(short(times.previous(at('2026-07-06T07:30:00Z')))).toBe('07-03T07:30');
  });

  it('gives times after and before an instant, never the instant itself', () => {
    const times = cron('0 * * * *', 'UTC');
    const noon = at('2026-01-01T12:00:00Z');
    expect([times.next(noon), times.previous(noon)].map(short)).toEqual(['01-01T13:00', '01-01T11:00']);
    expect([times.next(noon - 1), times.previous(noon + 1)]).toEqual([noon, noon]);
  });

  it('takes either day where both are given, and the last of a month', () => {
    expect(both('0 0 15 * 1', 'UTC', '2026-01-11T12:00:00Z', '2026-01-20T00:00:00Z')).toEqual([
      '01-12T00:00',
      '01-15T00:00',
      '01-19T00:00',
    ]);
    expect(both('0 0 L 2 *', 'UTC', '2027-01-01T00:00:00Z', '2028-12-31T00:00:00Z')).toEqual([
      '02-28T00:00',
      '02-29T00:00',
    ]);
  });
});

describe('cron that comes seldom', () => {
  it('has its leap day, after eight years too', () => {
    const times = cron('0 0 29 2 *', 'Europe/Berlin');
    const day = at('2096-02-28T23:00:00Z');
    expect([times.next(day), times.previous(at('2104-02-28T23:00:00Z'))]).toEqual([
      at('2104-02-28T23:00:00Z'),
      day,
    ]);
  });

  it('has no time where the next one is further away than that, and has it once it is not', () => {
    const times = cron('0 0 30 2 4#5', 'UTC');
    expect(times.next(at('2026-11-30T12:00:00Z'))).toBeNull();
    expect(times.next(at('2051-11-30T12:00:00Z'))).toBe(at('2052-02-29T00:00:00Z'));
    expect(times.previous(at('2051-11-30T12:00:00Z'))).toBeNull();
  });
});

describe('times that are asked for again', () => {
  it('are the same from anywhere in between, in any order', () => {
    const times = cron('0 0 * * *', 'Europe/Berlin');
    const order = [
      '02T12:00',
      '02T00:00',
      '01T12:00',
      '02T22:59',
      '02T23:00',
      '01T23:00',
      '01T22:59',
      '02T08:00',
    ];
    const next = (time: string) => short(times.next(at(`2026-01-${time}:00Z`)));
    expect(order.map(next)).toEqual([
      ...['01-02T23:00', '01-02T23:00', '01-01T23:00', '01-02T23:00', '01-03T23:00', '01-02T23:00'],
      ...['01-01T23:00', '01-02T23:00'],
    ]);
  });
});

/** Berlin: 2026-03-29 02:00 becomes 03:00 (at 01:00 UTC). */
describe('in an hour that the clocks skip', () => {
  const [from, to] = ['2026-03-28T12:00:00Z', '2026-03-30T12:00:00Z'];

  it.each([
    ['30 2 * * *', ['03-29T01:30', '03-30T00:30']],
    ['0,30 2 * * *', ['03-29T01:00', '03-29T01:30', '03-30T00:00', '03-30T00:30']],
    // 02:30 falls on 03:30, which is a time of its own: one run.
    ['30 2,3 * * *', ['03-29T01:30', '03-30T00:30', '03-30T01:30']],
    ['0 2,4 * * *', ['03-29T01:00', '03-29T02:00', '03-30T00:00', '03-30T02:00']],
    ['30 2 29 3 *', ['03-29T01:30']],
  ])('%s runs once, right after', (expression, expected) => {
    expect(both(expression, 'Europe/Berlin', from, to)).toEqual(expected);
  });

  it('finds the right neighbours from any minute around it', () => {
    const times = cron('30 2 * * *', 'Europe/Berlin');
    const run = at('2026-03-29T01:30:00Z');
    for (let now = run - 180 * minute; now < run; now += minute) expect(times.next(now)).toBe(run);
    for (let now = run + minute; now < run + 180 * minute; now += minute)
      expect(times.previous(now)).toBe(run);
  });

  it('what runs every hour has nothing to make up for', () => {
    expect(both('30 * * * *', 'Europe/Berlin', '2026-03-28T23:45:00Z', '2026-03-29T02:45:00Z')).toEqual([
      '03-29T00:30',
      '03-29T01:30',
      '03-29T02:30',
    ]);
  });

  it('a skipped midnight runs too', () => {
    expect(both('0 0 * * *', 'America/Sao_Paulo', '2018-11-03T12:00:00Z', '2018-11-05T12:00:00Z')).toEqual([
      '11-04T03:00',
      '11-05T02:00',
    ]);
  });

  it('a skipped day runs when it is over', () => {
    expect(both('0 12 30 12 *', 'Pacific/Apia', '2011-12-25T00:00:00Z', '2012-01-05T00:00:00Z')).toEqual([
      '12-30T22:00',
    ]);
  });
});

/** Berlin: 2026-10-25 03:00 becomes 02:00 (at 01:00 UTC). */
describe('in an hour that the clocks repeat', () => {
  const [from, to] = ['2026-10-24T12:00:00Z', '2026-10-26T12:00:00Z'];

  it.each([
    ['30 2 * * *', ['10-25T00:30', '10-26T01:30']],
    ['0 2 * * *', ['10-25T00:00', '10-26T01:00']],
    ['0 3 * * *', ['10-25T02:00', '10-26T02:00']],
    ['30 1-3 25 10 *', ['10-24T23:30', '10-25T00:30', '10-25T02:30']],
  ])('%s runs once', (expression, expected) => {
    expect(both(expression, 'Europe/Berlin', from, to)).toEqual(expected);
  });

  it('finds the right neighbours from any minute around it', () => {
    const times = cron('30 2 * * *', 'Europe/Berlin');
    const run = at('2026-10-25T00:30:00Z');
    for (let now = run + minute; now < run + 180 * minute; now += minute) {
      expect(times.previous(now)).toBe(run);
      expect(short(times.next(now))).toBe('10-26T01:30');
    }
  });

  it('what runs every hour goes on as time passes', () => {
    expect(both('*/30 * * * *', 'Europe/Berlin', '2026-10-24T23:45:00Z', '2026-10-25T02:15:00Z')).toEqual([
      '10-25T00:00',
      '10-25T00:30',
      '10-25T01:00',
      '10-25T01:30',
      '10-25T02:00',
    ]);
  });

  it('half an hour that is repeated counts once too', () => {
    expect(both('45 1 * * *', 'Australia/Lord_Howe', '2026-04-03T15:00:00Z', '2026-04-05T20:00:00Z')).toEqual(
      ['04-04T14:45', '04-05T15:15'],
    );
  });
});

describe('every minute, held against the clocks', () => {
  it.each([
    ['Europe/Berlin', '2026-03-28T20:00:00Z'],
    ['Europe/Berlin', '2026-10-24T20:00:00Z'],
    ['America/St_Johns', '2026-11-01T00:00:00Z'],
    ['Australia/Lord_Howe', '2026-10-03T10:00:00Z'],
  ])('%s from %s', (zone, from) => {
    const clock = new Intl.DateTimeFormat('en-GB', { timeZone: zone, minute: 'numeric' });
    const expected: number[] = [];
    for (let now = at(from) + minute; now < at(from) + 12 * 60 * minute; now += minute)
      if (Number(clock.format(now)) % 20 === 7) expected.push(now);
    const found = both('7-59/20 * * * *', zone, from, new Date(at(from) + 12 * 60 * minute).toISOString());
    expect(found).toEqual(expected.map(short));
  });
});

describe('an interval', () => {
  const start = at('2026-01-01T00:00:00Z');
  const times = scheduleTimes(
    ScheduleRule.parse({ type: 'interval', every_s: 90, starts_at: '2026-01-01T01:00:00+01:00' }),
  );

  it('counts from its start and not from when it was asked', () => {
    expect([start - 5, start - 1, start, start + 1, start + 90_000].map((now) => times.next(now))).toEqual(
      [0, 0, 90_000, 90_000, 180_000].map((ms) => start + ms),
    );
  });

  it('has no time before its start', () => {
    expect([start, start + 1, start + 90_000, start + 90_001].map((now) => times.previous(now))).toEqual([
      null,
      start,
      start,
      start + 90_000,
    ]);
  });
});
