import type { RepeatOptions } from 'bullmq';
import { z } from 'zod';
import { canonicalJson } from '../canonical-json.js';

const SchedulerRule = z.union([
  z.strictObject({ pattern: z.string().min(1), timeZone: z.string().min(1) }),
  z.strictObject({ everyMs: z.int().positive(), startsAt: z.int() }),
]);

/** When a scheduler wakes its consumer. What it means is for the client's `NextTime` to say. */
export type SchedulerRule = z.infer<typeof SchedulerRule>;

/**
 * The first time of a rule after an instant, both in epoch milliseconds; null when there is none. Must not depend on
 * anything but its arguments: whoever takes a job asks it for the time of the next one.
 */
export type NextTime = (rule: SchedulerRule, after: number) => number | null;

/**
 * The rule as BullMQ stores it: all of it is the `pattern`, also an interval. BullMQ keeps that text with the scheduler
 * and each of its jobs, and does nothing with it but hand it to the repeat strategy. Its own `every` never asks the
 * strategy, and counts from the time of the upsert; its `tz` is stored apart from the pattern.
 */
export function printRule(rule: SchedulerRule): string {
  return canonicalJson(SchedulerRule.parse(rule));
}

/** As `nextTime`, but throws for a time that BullMQ could not use as the next one. */
export function timeAfter(nextTime: NextTime, rule: SchedulerRule, after: number): number | null {
  const time = nextTime(rule, after);
  // BullMQ makes the time part of the next job's id: the same time again would end the chain.
  if (time !== null && !(Number.isSafeInteger(time) && time > after))
    throw new RangeError(`The next time after ${after} cannot be ${time}.`);
  return time;
}

/**
 * BullMQ's hook. It asks when a scheduler is stored, and when a worker takes one of its jobs, before the job runs. A
 * failure must not leave here: the job would stay taken, its lock would run out, and again, without it ever running.
 * The chain ends instead, and the next upsert takes it up.
 */
export function repeatStrategy(nextTime: NextTime | undefined, report: (error: unknown) => void) {
  return (after: number, { pattern }: RepeatOptions): number | undefined => {
    try {
      if (!nextTime) throw new Error('This client takes jobs of a scheduler and was made without nextTime.');
      return timeAfter(nextTime, SchedulerRule.parse(JSON.parse(pattern ?? '')), after) ?? undefined;
    } catch (error) {
      report(error);
      return undefined;
    }
  };
}

export type RepeatStrategy = ReturnType<typeof repeatStrategy>;
