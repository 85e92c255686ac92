import { OverlapRule } from '@switchyard/contracts';
import { catchUpRules } from '@switchyard/schedules';
import { z } from 'zod';
import { LostTool } from '../agents/lost-tool.schemas.js';
import { AgentInput, DisplayName } from '../http/fields.js';
import { ListQuery } from '../http/list-query.js';

const settings = {
  name: DisplayName,
  cron: z
    .string()
    .max(200)
    .describe(
      'Five fields, on the clocks of time_zone, with a time within the next 8 years. Or interval_s, not both.',
    ),
  time_zone: z.string().max(64).describe('Of cron, such as `Europe/Berlin`; UTC by default.'),
  interval_s: z.int().describe('Seconds, 60 at least, counted from starts_at.'),
  starts_at: z
    .string()
    .max(64)
    .describe(
      'Of interval_s (RFC 3339): its times are counted from here. Now by default; the first run is one interval later then.',
    ),
  input: AgentInput.describe('What the agent is asked each time: plain text, and no template.'),
  overlap: OverlapRule.describe('While the run before has not ended: `skip` the time, or `queue` it.'),
  catch_up: z
    .enum(catchUpRules)
    .describe('Of times at which nobody could run it: none, the last one, or all of them (the newest 100).'),
  is_paused: z.boolean(),
};

export const CreateSchedule = z
  .strictObject({ ...z.object(settings).partial().shape, name: settings.name, input: settings.input })
  .meta({ id: 'CreateAgentSchedule' });
export type CreateScheduleBody = z.output<typeof CreateSchedule>;

export const UpdateSchedule = z
  .strictObject(z.object(settings).partial().shape)
  .refine((body) => Object.keys(body).length > 0, 'names nothing to change')
  .meta({ id: 'UpdateAgentSchedule' });
export type UpdateScheduleBody = z.output<typeof UpdateSchedule>;

export const ScheduleAnswer = z
  .strictObject({
    id: z.uuid(),
    organization_id: z.uuid(),
    agent_id: z.uuid(),
    ...settings,
    cron: z.string().nullable(),
    time_zone: z.string().nullable().describe('Null with interval_s, to which clocks do not matter.'),
    interval_s: z.int().nullable(),
    starts_at: z.iso.datetime({ offset: true }).nullable(),
    next_run_at: z.iso
      .datetime()
      .nullable()
      .describe('Null while it is paused, or its agent is switched off.'),
    active_since: z.iso.datetime().describe('Times before are not made up for.'),
    version: z.int(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
    warnings: z.array(z.string()).optional(),
    lost_unattended: z.array(LostTool).optional().describe('Of the agent’s grants; not in lists.'),
  })
  .meta({ id: 'AgentSchedule' });
export type ScheduleAnswerBody = z.output<typeof ScheduleAnswer>;

export const ScheduleTimeAnswer = z
  .strictObject({
    due_at: z.iso.datetime(),
    outcome: z
      .enum(['started', 'held', 'skipped'])

      .describe(
        '`held`: its run had to wait behind one that had not ended (overlap `queue`); `run_id` tells what became of it.',
      ),
    reason: z
      .enum(['missed', 'overlap', 'queue_full'])
      .nullable()
      .describe(
        'Why it was skipped: nobody could run it in time and `catch_up` does not make up for it, the run before had not ended, or a hundred waited.',
      ),
    run_id: z.uuid().nullable().describe('In /api/runs, for as long as runs are kept.'),
    decided_at: z.iso.datetime(),
  })
  .meta({ id: 'AgentScheduleTime' });
export type ScheduleTimeAnswerBody = z.output<typeof ScheduleTimeAnswer>;

export const ListTimes = ListQuery.extend({ outcome: ScheduleTimeAnswer.shape.outcome.optional() });
export type ListTimesQuery = z.output<typeof ListTimes>;

export const RunsBegun = z.strictObject({ run_ids: z.array(z.uuid()) }).meta({ id: 'RunsBegun' });
export type RunsBegunBody = z.output<typeof RunsBegun>;
