import { describe, expect, it } from '@jest/globals';
import { CronExpressionParser } from 'cron-parser';
import { CronCalendar, type Direction } from './calendar.js';

const eightYears = 8 * 366 * 86_400_000;
const starts = ['2024-02-29T00:00:00.000Z', '2026-11-30T23:59:59.999Z', '2099-12-31T12:34:00.001Z'];
const directions: Direction[] = ['next', 'prev'];

/** As `cron-parser` walks, as far as we do. */
function* timesOfPackage(expression: string, from: number, direction: Direction): Generator<number> {
  const walk = CronExpressionParser.parse(expression, { tz: 'UTC', currentDate: new Date(from) });
  for (;;) {
    const time = walk[direction]().getTime();
    if (Math.abs(time - from) > eightYears) return;
    yield time;
  }
}

function first(times: Generator<number>): number[] {
  const found: number[] = [];
  for (const time of times) if (found.push(time) === 8) break;
  return found;
}

describe('the calendar of a cron expression', () => {
  it.each([
    ...['* * * * *', '*/7 3,5-9/2 * * *', '59 23 * * *', '0 0 L * *', '0 0 L,15 * *', '0 0 29 2 *'],
    ...['0 0 31 * *', '0 12 * mar thu', '0 0 ? * 7', '0 0 1 * ?', '0 0 */2 * */3', '0 0 13 * 5'],
    ...['0 0 * * 1#2', '0 0 * * 5#5', '0 0 L * 0#1', '0 0 * * 5L', '0 0 * * 1,5L', '0 0 * 2 0L'],
    ...['0 0 31 4 1#5', '0 0 * 2,4 1#5'],
  ])('%s is what cron-parser makes of it, both ways', (expression) => {
    for (const from of starts.map((start) => Date.parse(start)))
      for (const direction of directions)
        expect(first(new CronCalendar(expression).times(from, direction))).toEqual(
          first(timesOfPackage(expression, from, direction)),
        );
  });

  it('ends where nothing comes for eight years, and knows whether it ever does', () => {
    const now = Date.parse('2026-11-30T12:00:00Z');
    const rare = new CronCalendar('0 0 30 2 4#5');
    expect([...rare.times(now, 'next')]).toEqual([]);
    expect([...rare.times(now, 'prev')]).toEqual([Date.parse('2024-02-29')]);
    expect([rare.everComes, new CronCalendar('0 0 31 4,6 *').everComes]).toEqual([true, false]);
    for (let day = 0; day < 7; day++) expect(new CronCalendar(`0 0 * 2 ${day}#5`).everComes).toBe(true);
  });
});
