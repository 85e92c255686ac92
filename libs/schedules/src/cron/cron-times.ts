import { CronExpressionParser } from 'cron-parser';
import { instantsOf, jumpNear, offsetAt } from './zone.js';

/**
 * The times of a cron expression in a time zone. `cron-parser` walks the calendar, on local time as if it were UTC; the
 * clocks' jumps are ours, because the package goes forward and backward by different rules, and drops a midnight that
 * a jump skips (São Paulo, 2018-11-04).
 *
 * - A time within an hour that the clocks skip runs once, as long after the jump as it lies within the gap (02:30 at
 *   03:30). Where another time of the expression falls on the same instant, it is one run.
 * - A time within an hour that the clocks repeat runs once, the first time.
 * - An expression whose hour field takes every hour follows time as it passes: it runs in both of the repeated hours,
 *   and has nothing to make up for in a skipped one.
 */
export class CronTimes {
  private readonly isEveryHour: boolean;

  constructor(
    private readonly expression: string,
    private readonly timeZone: string,
  ) {
    const hours = CronExpressionParser.parse(expression, { tz: 'UTC' }).fields.hour.values;
    this.isEveryHour = hours.length === 24;
  }

  /** The first time after an instant; null when there is none in sight. */
  next(after: number): number | null {
    return this.search(after, 'next');
  }

  /** The last time before an instant. */
  previous(before: number): number | null {
    return this.search(before, 'prev');
  }

  /**
   * Local times in order of the calendar are not quite in order of time where clocks jump, so the search begins as far
   * back as they jump and ends only when no later local time can beat the best.
   */
  private search(from: number, direction: 'next' | 'prev'): number | null {
    const sign = direction === 'next' ? 1 : -1;
    const slack = jumpNear(this.timeZone, from);
    const localFrom = from + offsetAt(this.timeZone, from) - sign * (slack + 1);
    let best: number | null = null;
    for (const local of localTimes(this.expression, localFrom, direction)) {
      if (best !== null && sign * (local - this.localOf(best)) > jumpNear(this.timeZone, best)) return best;
      for (const instant of this.runsAt(local))
        if (sign * (instant - from) > 0 && (best === null || sign * (instant - best) < 0)) best = instant;
    }
    return best;
  }

  private runsAt(local: number): number[] {
    const { instants, afterGap } = instantsOf(this.timeZone, local);
    if (this.isEveryHour) return instants;
    return instants.length === 0 ? [afterGap] : instants.slice(0, 1);
  }

  private localOf(instant: number): number {
    return instant + offsetAt(this.timeZone, instant);
  }
}

/** Local times of the expression beyond `from`, as if local time were UTC. Ends where the calendar has no more. */
function* localTimes(expression: string, from: number, direction: 'next' | 'prev'): Generator<number> {
  const walk = CronExpressionParser.parse(expression, { tz: 'UTC', currentDate: new Date(from) });
  for (;;) {
    try {
      yield walk[direction]().getTime();
    } catch {
      return;
    }
  }
}
