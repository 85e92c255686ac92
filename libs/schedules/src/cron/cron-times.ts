import { Kept } from '../kept.js';
import { CronCalendar, type Direction } from './calendar.js';
import { instantsOf, jumpNear, offsetAt } from './zone.js';

/** For all times from `from` on until `next`, that one is the next. */
type Stretch = { readonly from: number; readonly next: number };

const most = 2_000;
const calendars = new Kept<CronCalendar>(most);
const times = new Kept<CronTimes>(most);

/** Read once, as long as it is in use. Throws what `cron-parser` throws for a wrong expression. */
export function cronCalendar(expression: string): CronCalendar {
  return calendars.of(expression, () => new CronCalendar(expression));
}

/** As `cronCalendar`, on the clocks of a zone. */
export function cronTimes(expression: string, timeZone: string): CronTimes {
  const key = `${timeZone.toLowerCase()} ${expression}`;
  return times.of(key, () => new CronTimes(cronCalendar(expression), timeZone));
}

/**
 * The times of a cron expression in a time zone: its calendar knows them on a clock that never jumps, and here is what
 * becomes of them where the zone's clocks do.
 *
 * - A time within an hour that the clocks skip runs once, as long after the jump as it lies within the gap (02:30 at
 *   03:30). Where another time of the expression falls on the same instant, it is one run.
 * - A time within an hour that the clocks repeat runs once, the first time.
 * - An expression whose hour field takes every hour follows time as it passes: it runs in both of the repeated hours,
 *   and has nothing to make up for in a skipped one.
 */
export class CronTimes {
  #known: Stretch | undefined;

  constructor(
    private readonly calendar: CronCalendar,
    private readonly timeZone: string,
  ) {}

  /**
   * The first time after an instant; null when there is none within eight years. The answer is remembered, for those
   * who look after schedules ask again and again: reading the clocks of a zone is nearly all that a search costs.
   */
  next(after: number): number | null {
    const known = this.#known;
    if (known && after >= known.from && after < known.next) return known.next;
    const next = this.search(after, 'next');
    if (next === null) return null;
    const from = known?.next === next ? Math.min(known.from, after) : after;
    this.#known = { from, next };
    return next;
  }

  /** The last time before an instant; null when there is none within eight years. */
  previous(before: number): number | null {
    return this.search(before, 'prev');
  }

  /**
   * Local times in order of the calendar are not quite in order of time where clocks jump, so the search begins as far
   * back as they jump and ends only when no later local time can beat the best.
   */
  private search(from: number, direction: Direction): number | null {
    const sign = direction === 'next' ? 1 : -1;
    const slack = jumpNear(this.timeZone, from);
    const localFrom = from + offsetAt(this.timeZone, from) - sign * (slack + 1);
    let best: number | null = null;
    for (const local of this.calendar.times(localFrom, direction)) {
      if (best !== null && sign * (local - this.localOf(best)) > jumpNear(this.timeZone, best)) return best;
      for (const instant of this.runsAt(local))
        if (sign * (instant - from) > 0 && (best === null || sign * (instant - best) < 0)) best = instant;
    }
    return best;
  }

  private runsAt(local: number): number[] {
    const { instants, afterGap } = instantsOf(this.timeZone, local);
    if (this.calendar.isEveryHour) return instants;
    return instants.length === 0 ? [afterGap] : instants.slice(0, 1);
  }

  private localOf(instant: number): number {
    return instant + offsetAt(this.timeZone, instant);
  }
}
