import { z } from 'zod';
import { cronProblem } from './cron/check-cron.js';
import { zoneName } from './cron/zone.js';

const aYearInSeconds = 366 * 86_400;

const Cron = z
  .string()
  .superRefine((expression, { addIssue }) => {
    const problem = cronProblem(expression);
    if (problem !== undefined) addIssue({ code: 'custom', message: `The cron expression ${problem}.` });
  })
  .transform((expression) => expression.trim().split(/\s+/).join(' '));

/** A name such as `Europe/Berlin` or `UTC`, and no offset. */
const TimeZone = z
  .string()
  .max(64)
  .transform((name, { addIssue }) => {
    const known = zoneName(name);
    if (known !== undefined) return known;
    addIssue({
      code: 'custom',
      message: 'There is no such time zone: use a name such as Europe/Berlin or UTC.',
    });
    return z.NEVER;
  });

/** When a schedule runs. */
export const ScheduleRule = z.discriminatedUnion('type', [
  /** Five fields, read on the clocks of the time zone (`CronTimes` says what happens where those jump). */
  z.strictObject({ type: z.literal('cron'), cron: Cron, time_zone: TimeZone.default('UTC') }),
  /** Every so many seconds, counted from `starts_at`, which is the first time. Clocks do not matter to it. */
  z.strictObject({
    type: z.literal('interval'),
    every_s: z.int().min(60, 'The interval must be at least 60 seconds.').max(aYearInSeconds),
    starts_at: z.iso
      .datetime({ offset: true })
      .refine(isInReach, 'The first time must be within the years 1970 to 9998, in UTC.'),
  }),
]);
export type ScheduleRule = z.output<typeof ScheduleRule>;
export type ScheduleRuleInput = z.input<typeof ScheduleRule>;

/** Far years leave what timestamps of the database and RFC 3339 can say. What is no time at all was refused before. */
function isInReach(time: string): boolean {
  const year = new Date(time).getUTCFullYear();
  return Number.isNaN(year) || (year >= 1970 && year <= 9998);
}
