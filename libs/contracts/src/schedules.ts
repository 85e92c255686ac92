import { z } from 'zod';
import { ErrorInfo } from './errors.js';

/** What becomes of a time at which the schedule's last run has not ended. */
export const OverlapRule = z.enum(['skip', 'queue']);
export type OverlapRule = z.infer<typeof OverlapRule>;

/** Look after a schedule: `due` makes up for whatever is due by now, `now` runs it once whatever its rule says. */
export const ScheduleJob = z.strictObject({
  v: z.literal(1),
  orgId: z.uuid(),
  scheduleId: z.uuid(),
  reason: z.enum(['due', 'now']),
  /** With `now`: whoever asks again under the same key means the same run. A digest, which names who asked too. */
  requestKey: z.string().max(100).optional(),
});
export type ScheduleJob = z.infer<typeof ScheduleJob>;

export const ScheduleOutcome = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('started'), runIds: z.array(z.uuid()) }),
  /** Nothing was due, it is paused, or a run of it has not ended. */
  z.strictObject({ status: z.literal('skipped'), why: z.string() }),
  z.strictObject({ status: z.literal('refused'), error: ErrorInfo }),
]);
export type ScheduleOutcome = z.infer<typeof ScheduleOutcome>;
