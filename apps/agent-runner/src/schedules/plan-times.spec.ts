import { describe, expect, it } from '@jest/globals';
import { ScheduleRule, scheduleTimes } from '@switchyard/schedules';
import { planTimes, type TimesToPlan } from './plan-times.js';

const minute = 60_000;
const hour = 60 * minute;
const noon = Date.parse('2026-03-01T12:00:00Z');
const hourly = scheduleTimes(
  ScheduleRule.parse({ type: 'interval', every_s: 3_600, starts_at: '2026-01-01T00:00:00Z' }),
);
const plan = (more: Partial<TimesToPlan> = {}) =>
  planTimes({
    ...{ times: hourly, overlap: 'skip', catchUp: 'last', openRuns: 0 },
    ...{ handledUntil: noon - minute, now: noon + 1_000, ...more },
  }).map(({ dueAt, outcome, why }) => [(dueAt - noon) / hour, outcome, why]);

describe('the times of a schedule', () => {
  it('run when they are due, and are done then', () => {
    expect(plan()).toEqual([[0, 'started', null]]);
    expect(plan({ handledUntil: noon })).toEqual([]);
    expect(plan({ now: noon - 1 })).toEqual([]);
  });

  it.each([
    [
      'none',
      [
        [-2, 'skipped', 'missed'],
        [-1, 'skipped', 'missed'],
        [0, 'started', null],
      ],
    ],
    [
      'last',
      [
        [-2, 'skipped', 'missed'],
        [-1, 'skipped', 'missed'],
        [0, 'started', null],
      ],
    ],
    [
      'all',
      [
        [-2, 'started', null],
        [-1, 'held', null],
        [0, 'held', null],
      ],
    ],
  ] as const)('that were missed are caught up by the rule %s', (catchUp, expected) => {
    expect(plan({ catchUp, overlap: 'queue', handledUntil: noon - 2 * hour - 1 })).toEqual(expected);
  });

  it.each([
    ['none', 'skipped'],
    ['last', 'started'],
  ] as const)('of which even the last was missed: %s', (catchUp, outcome) => {
    expect(plan({ catchUp, now: noon + 10 * minute })).toEqual([
      [0, outcome, outcome === 'skipped' ? 'missed' : null],
    ]);
  });

  it('do not run beside a run that has not ended', () => {
    expect(plan({ openRuns: 1 })).toEqual([[0, 'skipped', 'overlap']]);
    expect(plan({ openRuns: 1, overlap: 'queue' })).toEqual([[0, 'held', null]]);
    expect(plan({ openRuns: 100, overlap: 'queue' })).toEqual([[0, 'skipped', 'queue_full']]);
  });
});
