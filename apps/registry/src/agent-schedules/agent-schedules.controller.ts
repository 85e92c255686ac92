import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiHeader, ApiTags } from '@nestjs/swagger';
import { idempotencyKeyOf } from '@switchyard/service-kit';
import type { Page, PageQuery } from '@switchyard/service-kit';
import { Admin } from '../admin/admin-context.js';
import type { AdminContext } from '../admin/admin-context.js';
import { ResourceId } from '../http/fields.js';
import { ListQuery } from '../http/list-query.js';
import { Answers, pageOf } from '../openapi/answers.js';
import {
  CreateSchedule,
  ListTimes,
  RunsBegun,
  ScheduleAnswer,
  ScheduleTimeAnswer,
  UpdateSchedule,
} from './agent-schedule.schemas.js';
import type {
  CreateScheduleBody,
  ListTimesQuery,
  RunsBegunBody,
  ScheduleAnswerBody,
  ScheduleTimeAnswerBody,
  UpdateScheduleBody,
} from './agent-schedule.schemas.js';
import { AgentSchedulesService } from './agent-schedules.service.js';

const id = { schema: ResourceId };

@ApiTags('agents')
@Controller('api/agents/:agentId/schedules')
export class AgentSchedulesController {
  constructor(private readonly schedules: AgentSchedulesService) {}

  @Post()
  @Answers({
    summary: 'Run an agent by the clock: by cron in a time zone, or at intervals',
    status: 201,
    schema: ScheduleAnswer,
    errors: ['invalid_request', 'not_found', 'conflict'],
  })
  create(
    @Admin() admin: AdminContext,
    @Param('agentId', id) agentId: string,
    @Body({ schema: CreateSchedule }) body: CreateScheduleBody,
  ): Promise<ScheduleAnswerBody> {
    return this.schedules.create(admin, agentId, body);
  }

  @Get()
  @Answers({
    summary: 'List an agent’s schedules',
    status: 200,
    schema: pageOf(ScheduleAnswer),
    errors: ['invalid_request', 'not_found'],
  })
  list(
    @Admin() admin: AdminContext,
    @Param('agentId', id) agentId: string,
    @Query({ schema: ListQuery }) query: PageQuery,
  ): Promise<Page<ScheduleAnswerBody>> {
    return this.schedules.list(admin, agentId, query);
  }

  @Get(':id')
  @Answers({ summary: 'Read a schedule', status: 200, schema: ScheduleAnswer, errors: ['not_found'] })
  get(
    @Admin() admin: AdminContext,
    @Param('agentId', id) agentId: string,
    @Param('id', id) scheduleId: string,
  ): Promise<ScheduleAnswerBody> {
    return this.schedules.get(admin, agentId, scheduleId);
  }

  @Patch(':id')
  @Answers({
    summary: 'Change a schedule: what the body names. Another rule begins now',
    status: 200,
    schema: ScheduleAnswer,
    errors: ['invalid_request', 'not_found', 'conflict'],
  })
  update(
    @Admin() admin: AdminContext,
    @Param('agentId', id) agentId: string,
    @Param('id', id) scheduleId: string,
    @Body({ schema: UpdateSchedule }) body: UpdateScheduleBody,
  ): Promise<ScheduleAnswerBody> {
    return this.schedules.update(admin, agentId, { id: scheduleId, body });
  }

  @Post(':id/pause')
  @HttpCode(200)
  @Answers({
    summary: 'Pause a schedule',
    status: 200,
    schema: ScheduleAnswer,
    errors: ['not_found', 'conflict'],
  })
  pause(
    @Admin() admin: AdminContext,
    @Param('agentId', id) agentId: string,
    @Param('id', id) scheduleId: string,
  ): Promise<ScheduleAnswerBody> {
    return this.schedules.update(admin, agentId, { id: scheduleId, body: { is_paused: true } });
  }

  @Post(':id/resume')
  @HttpCode(200)
  @Answers({
    summary: 'End the pause of a schedule; times of the pause are not made up for',
    status: 200,
    schema: ScheduleAnswer,
    errors: ['not_found', 'conflict'],
  })
  resume(
    @Admin() admin: AdminContext,
    @Param('agentId', id) agentId: string,
    @Param('id', id) scheduleId: string,
  ): Promise<ScheduleAnswerBody> {
    return this.schedules.update(admin, agentId, { id: scheduleId, body: { is_paused: false } });
  }

  @Get(':id/times')
  @Answers({
    summary:
      'List what became of a schedule’s times, the latest first: which ran, and which were skipped and why',
    status: 200,
    schema: pageOf(ScheduleTimeAnswer),
    errors: ['invalid_request', 'not_found'],
  })
  times(
    @Admin() admin: AdminContext,
    @Param('agentId', id) agentId: string,
    @Param('id', id) scheduleId: string,
    @Query({ schema: ListTimes }) query: ListTimesQuery,
  ): Promise<Page<ScheduleTimeAnswerBody>> {
    return this.schedules.listTimes(admin, agentId, { id: scheduleId, query });
  }

  @Post(':id/run')
  @HttpCode(202)
  @Answers({
    summary:
      'Run a schedule now, whatever its rule says; asked again under the same `Idempotency-Key`, it answers with the same run',
    status: 202,
    schema: RunsBegun,
    errors: ['invalid_request', 'not_found', 'conflict', 'queue_unavailable'],
  })
  @ApiHeader({ name: 'Idempotency-Key', required: false, schema: { type: 'string', maxLength: 255 } })
  run(
    @Admin() admin: AdminContext,
    @Param('agentId', id) agentId: string,
    @Param('id', id) scheduleId: string,
    @Headers('idempotency-key') header: unknown,
  ): Promise<RunsBegunBody> {
    return this.schedules.run(admin, agentId, { id: scheduleId, key: idempotencyKeyOf(header) });
  }

  @Delete(':id')
  @HttpCode(204)
  @Answers({ summary: 'Remove a schedule', status: 204, errors: ['not_found'] })
  remove(
    @Admin() admin: AdminContext,
    @Param('agentId', id) agentId: string,
    @Param('id', id) scheduleId: string,
  ): Promise<void> {
    return this.schedules.remove(admin, agentId, scheduleId);
  }
}
