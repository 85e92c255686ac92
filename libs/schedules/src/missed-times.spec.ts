import { describe, expect, it } from '@jest/globals';
import { type CatchUpRule, missedTimes } from './missed-times.js';
import { ScheduleRule } from './schedule-rule.js';
import { scheduleTimes } from './schedule-times.js';

const hour = 3_600_000;
const noon = Date.parse('2026-03-29T12:00:00Z');
const hourly = scheduleTimes(ScheduleRule.parse({ type: 'cron', cron: '0 * * * *' }));

function missed(rule: CatchUpRule, hoursDown: number, limit?: number) {
  const { times, hasMore } = missedTimes(hourly, {
    after: noon - hoursDown * hour,
    until: noon,
    rule,
    limit,
  });
  return { hours: times.map((time) => (time - noon) / hour), hasMore };
}

describe('times that were missed', () => {
  it('are made up for as the rule says, oldest first', () => {
    expect(missed('none', 3)).toEqual({ hours: [], hasMore: true });
    expect(missed('last', 3)).toEqual({ hours: [0], hasMore: true });
    expect(missed('all', 3)).toEqual({ hours: [-2, -1, 0], hasMore: false });
  });

  it('are the newest where there are too many', () => {
    expect(missed('all', 50, 2)).toEqual({ hours: [-1, 0], hasMore: true });
    expect(missed('all', 2, 2)).toEqual({ hours: [-1, 0], hasMore: false });
  });

  it('are none where nothing was due', () => {
    for (const rule of ['none', 'last', 'all'] as const)
      expect(missed(rule, 0)).toEqual({ hours: [], hasMore: false });
  });

  it('over a change of the clocks are as many as there were', () => {
    const nightly = { type: 'cron', cron: '30 2 * * *', time_zone: 'Europe/Berlin' };
    const { times } = missedTimes(scheduleTimes(ScheduleRule.parse(nightly)), {
      after: Date.parse('2026-03-27T12:00:00Z'),
      until: Date.parse('2026-03-30T12:00:00Z'),
      rule: 'all',
    });
    expect(times.map((time) => new Date(time).toISOString().slice(5, 16))).toEqual([
      '03-28T01:30',
      '03-29T01:30',
      '03-30T00:30',
    ]);
  });
});
