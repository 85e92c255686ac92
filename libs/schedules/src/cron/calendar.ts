import { CronExpressionParser } from 'cron-parser';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** Longer than from one 29th of February to the next, over 2100 too. What comes more seldom is out of sight. */
const sightMs = 8 * 366 * dayMs;
/** In so many years each day of the week was a 29th of February once. */
const everMs = 29 * 366 * dayMs;

export type Direction = 'next' | 'prev';

/**
 * The times of a cron expression on a clock that never jumps: epoch milliseconds, as if local time were UTC. `cron-parser`
 * reads the expression, and the walk is ours: the package goes day by day, and made of `0 0 30 2 4#5` (a 29th of February
 * that is a Thursday, in 2052) 10 to 40 ms of work each time. Throws what the package throws for a wrong expression.
 */
export class CronCalendar {
  readonly isEveryHour: boolean;
  /** Whether there is any such day. */
  readonly everComes: boolean;
  readonly #hours: Record<Direction, readonly number[]>;
  readonly #minutes: Record<Direction, readonly number[]>;
  readonly #months: ReadonlySet<number>;
  readonly #takesDay: (day: Date) => boolean;

  constructor(expression: string) {
    const { fields } = CronExpressionParser.parse(expression, { tz: 'UTC' });
    this.isEveryHour = fields.hour.values.length === 24;
    this.#hours = bothWays(fields.hour.values);
    this.#minutes = bothWays(fields.minute.values);
    this.#months = new Set(fields.month.values);
    this.#takesDay = dayTest(fields);
    this.everComes = !this.times(0, 'next', everMs).next().done;
  }

  /** Those beyond `from`, in order; the walk ends after eight years. */
  *times(from: number, direction: Direction, withinMs = sightMs): Generator<number> {
    const sign = signOf(direction);
    for (const day of this.#days(from, direction, withinMs))
      for (const hour of this.#hours[direction])
        for (const minute of this.#minutes[direction]) {
          const time = day + hour * hourMs + minute * minuteMs;
          if (sign * (time - from) > 0) yield time;
        }
  }

  *#days(from: number, direction: Direction, withinMs: number): Generator<number> {
    const sign = signOf(direction);
    const last = from + sign * withinMs;
    let day = new Date(Math.floor(from / dayMs) * dayMs);
    while (sign * (day.getTime() - last) <= 0) {
      if (this.#months.has(day.getUTCMonth() + 1)) {
        if (this.#takesDay(day)) yield day.getTime();
        day = new Date(day.getTime() + sign * dayMs);
      } else day = dayBeyondMonth(day, direction);
    }
  }
}

function signOf(direction: Direction): 1 | -1 {
  return direction === 'next' ? 1 : -1;
}

function bothWays(values: readonly number[]): Record<Direction, readonly number[]> {
  return { next: values, prev: values.toReversed() };
}

function dayBeyondMonth(day: Date, direction: Direction): Date {
  const [year, month] = [day.getUTCFullYear(), day.getUTCMonth()];
  return new Date(direction === 'next' ? Date.UTC(year, month + 1, 1) : Date.UTC(year, month, 0));
}

type Fields = ReturnType<typeof CronExpressionParser.parse>['fields'];

/** Where both the day of the month and that of the week are given, either will do. */
function dayTest({ dayOfMonth, dayOfWeek }: Fields): (day: Date) => boolean {
  const isInMonth = monthDayTest(dayOfMonth);
  const isInWeek = weekDayTest(dayOfWeek);
  if (dayOfWeek.isWildcard) return isInMonth;
  if (dayOfMonth.isWildcard) return isInWeek;
  return (day) => isInMonth(day) || isInWeek(day);
}

function monthDayTest({ values, hasLastChar }: Fields['dayOfMonth']): (day: Date) => boolean {
  const days = new Set<number | string>(values);
  return (day) => days.has(day.getUTCDate()) || (hasLastChar && isWithinLast(1, day));
}

/** `nthDay` is that of `#`; with `L` a value is text, such as `5L`, and asks for the last one of its month. */
function weekDayTest({ values, nthDay, hasLastChar }: Fields['dayOfWeek']): (day: Date) => boolean {
  const days = new Set<number | string>(values);
  const lastDays = new Set(hasLastChar ? values.map((value) => Number.parseInt(String(value), 10) % 7) : []);
  return (day) => {
    const isNth = nthDay <= 0 || Math.ceil(day.getUTCDate() / 7) === nthDay;
    if (isNth && days.has(day.getUTCDay())) return true;
    return lastDays.has(day.getUTCDay()) && isWithinLast(7, day);
  };
}

function isWithinLast(days: number, day: Date): boolean {
  return new Date(day.getTime() + days * dayMs).getUTCMonth() !== day.getUTCMonth();
}
