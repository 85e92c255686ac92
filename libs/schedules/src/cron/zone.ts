import { Kept } from '../kept.js';

/** Each is some 50 KB, and takes the time of dozens of answers to make. There are 418 zones, besides their aliases. */
const formats = new Kept<Intl.DateTimeFormat>(500);
/** Beside a jump of the clocks a search looks at hundreds of minutes, and the next search at nearly the same ones. */
const offsets = new Kept<number>(20_000);
const minuteMs = 60_000;

/**
 * Offset of a time zone at an instant, in milliseconds: local time less UTC. Both it and the instant are epoch
 * milliseconds. Clocks have jumped at whole minutes alone since 1972. Throws a RangeError for an unknown zone.
 */
export function offsetAt(timeZone: string, instant: number): number {
  const minute = Math.floor(instant / minuteMs);
  return offsets.of(`${timeZone} ${minute}`, () => readOffset(timeZone, minute * minuteMs));
}

function readOffset(timeZone: string, instant: number): number {
  const parts = formatOf(timeZone).formatToParts(instant);
  const valueOf = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  const local = Date.UTC(
    valueOf('year'),
    valueOf('month') - 1,
    valueOf('day'),
    valueOf('hour'),
    valueOf('minute'),
    valueOf('second'),
  );
  return local - instant;
}

/**
 * The name with the letters that it is known by (`europe/berlin` is `Europe/Berlin`); undefined where there is no such
 * zone. An alias such as `Asia/Kolkata` stays as it was written: which of two names is the alias, systems do not agree.
 */
export function zoneName(name: string): string | undefined {
  // A bare offset knows nothing of summer time, which people expect of a zone.
  if (!/^[A-Za-z]/.test(name)) return undefined;
  try {
    const { timeZone } = formatOf(name).resolvedOptions();
    return timeZone.toLowerCase() === name.toLowerCase() ? timeZone : name;
  } catch {
    return undefined;
  }
}

/** To names of zones, the case of letters does not matter. */
function formatOf(timeZone: string): Intl.DateTimeFormat {
  return formats.of(timeZone.toLowerCase(), () => makeFormat(timeZone));
}

function makeFormat(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
}

/** Longer than any offset, and than any jump of a clock. */
const aDayAndMore = 27 * 3_600_000;

/** How far the clocks of a zone jump within a day or so of an instant; 0 nearly always. */
export function jumpNear(timeZone: string, instant: number): number {
  const offsets = [instant - aDayAndMore, instant, instant + aDayAndMore].map((at) => offsetAt(timeZone, at));
  return Math.max(...offsets) - Math.min(...offsets);
}

/**
 * The instants at which clocks of the zone show a local time (given as if it were UTC): one; two where the clocks were
 * set back; none where they were set forward over it, and then `afterGap` is as long after the jump as the local time
 * lies within the gap.
 */
export function instantsOf(timeZone: string, local: number): { instants: number[]; afterGap: number } {
  const before = offsetAt(timeZone, local - aDayAndMore);
  const offsets = new Set([before, offsetAt(timeZone, local + aDayAndMore)]);
  const instants = [...offsets]
    .map((offset) => local - offset)
    .filter((instant) => instant + offsetAt(timeZone, instant) === local)
    .sort((a, b) => a - b);
  return { instants, afterGap: local - before };
}
