import { describe, expect, it } from '@jest/globals';
import { missedTimes, scheduleTimes } from '@switchyard/schedules';
import { workOf } from '@switchyard/testing';
import { nextTime } from './next-time.js';

const noon = Date.parse('2026-11-30T12:00:00Z');
const hour = 3_600_000;
const at = (pattern: string) => ({ pattern, timeZone: 'Europe/Berlin' });

describe('the next time of a schedule', () => {
  it('is little work, however far away, for a thousand schedules and each time anew', () => {
    const ask = (pattern: string) => () => {
      for (let asked = 0; asked < 1_000; asked++) nextTime(at(pattern), noon + asked * 24 * hour);
    };
    const [near, far] = [workOf(ask('0 3 * * *')), workOf(ask('0 0 30 2 4#5'))];
    expect(far / near).toBeLessThan(3);
  });

  it('that was found is not searched for again until it has come', () => {
    const times = Array.from({ length: 1_000 }, (_, n) => noon + n * 1_000);
    const asked = () => times.map((time) => nextTime(at('0 3 * * *'), time));
    expect(new Set(asked())).toEqual(new Set([Date.parse('2026-12-01T02:00:00Z')]));
    const searched = () => times.map((time) => nextTime(at('0 3 * * *'), time + (time - noon) * 86_400));
    // A collection of garbage is more work than all of these look-ups: the least of several counts.
    const least = Math.min(...Array.from({ length: 7 }, () => workOf(asked)));
    expect(workOf(searched) / least).toBeGreaterThan(2);
  });

  it('is no more work for a hundred times that were missed while the clocks were set back', () => {
    const rule = { type: 'cron', cron: '* 0-22 * * *', time_zone: 'America/Halifax' } as const;
    const until = Date.parse('2026-11-01T06:30:00Z');
    const missed = () => missedTimes(scheduleTimes(rule), { after: 0, until, rule: 'all' });
    expect(workOf(missed)).toBeLessThan(200);
    expect(missed().times).toHaveLength(100);
  });
});
