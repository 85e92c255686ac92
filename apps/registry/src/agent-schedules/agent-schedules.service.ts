import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { PlatformError, queues } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import { decodeCursor, Rfc3339Time, toPage } from '@switchyard/service-kit';
import type { Page, PageQuery } from '@switchyard/service-kit';
import { v7 as uuidv7 } from 'uuid';
import type { AdminContext } from '../admin/admin-context.js';
import { AgentWarningsService } from '../agents/agent-warnings.service.js';
import type { AgentEntity } from '../agents/agent.entity.js';
import { AgentsRepository } from '../agents/agents.repository.js';
import { ChangesService } from '../changes/changes.service.js';
import { refuseGoneParent } from '../http/constraint-violation.js';
import { ResourceId } from '../http/fields.js';
import { isLate } from '../http/service-is-late.js';
import { AgentScheduleEntity } from './agent-schedule.entity.js';
import type {
  CreateScheduleBody,
  ListTimesQuery,
  RunsBegunBody,
  ScheduleAnswerBody,
  ScheduleTimeAnswerBody,
  UpdateScheduleBody,
} from './agent-schedule.schemas.js';
import { AgentSchedulesRepository } from './agent-schedules.repository.js';
import { requireRoom } from './schedule-limits.js';
import { ruleOf } from './schedule-rule.js';
import { ScheduleTimesRepository } from './schedule-times.repository.js';
import { toScheduleAnswer, toTimeAnswer } from './to-schedule-answer.js';

const runWithinMs = 10_000;

/** When agents run by themselves. agent-runner does it, and hears of every change. */
@Injectable()
export class AgentSchedulesService {
  constructor(
    private readonly agents: AgentsRepository,
    private readonly schedules: AgentSchedulesRepository,
    private readonly times: ScheduleTimesRepository,
    private readonly warnings: AgentWarningsService,
    private readonly queue: QueueClient,
    private readonly changes: ChangesService,
  ) {}

  async create(
    { orgId }: AdminContext,
    agentId: string,
    body: CreateScheduleBody,
  ): Promise<ScheduleAnswerBody> {
    const agent = await this.agents.require(orgId, agentId);
    const row = newSchedule(agent, body);
    await refuseGoneParent(() => this.schedules.insert(row, requireRoom));
    await this.tell(row, 'created');
    return this.answer(agent, row);
  }

  async list(
    { orgId }: AdminContext,
    agentId: string,
    { limit, cursor }: PageQuery,
  ): Promise<Page<ScheduleAnswerBody>> {
    const agent = await this.agents.require(orgId, agentId);
    const afterId = cursor === undefined ? undefined : decodeCursor(ResourceId, cursor);
    const rows = await this.schedules.list(placeOf(agent), limit + 1, afterId);
    const answers: ScheduleAnswerBody[] = [];
    for (const row of rows) {
      // The next time of each has to be searched for: others get their turn in between.
      await nextTurn();
      answers.push(toScheduleAnswer(row, agent));
    }
    return toPage(answers, limit, { item: (answer) => answer, position: ({ id }) => id });
  }

  async get(admin: AdminContext, agentId: string, id: string): Promise<ScheduleAnswerBody> {
    const { agent, row } = await this.require(admin, agentId, id);
    return this.answer(agent, row);
  }

  async update(
    admin: AdminContext,
    agentId: string,
    { id, body }: { id: string; body: UpdateScheduleBody },
  ): Promise<ScheduleAnswerBody> {
    const { agent, row } = await this.require(admin, agentId, id);
    const next = applySchedule(row, body);
    if (isDeepStrictEqual(row, next)) return this.answer(agent, row);
    Object.assign(next, { version: row.version + 1, updatedAt: new Date() });
    if (!(await this.schedules.replace(next, row.version)))
      throw new PlatformError('conflict', {
        message: 'Somebody else changed the schedule at the same time.',
      });
    await this.tell(next, 'updated');
    return this.answer(agent, next);
  }

  async remove(admin: AdminContext, agentId: string, id: string): Promise<void> {
    const { agent, row } = await this.require(admin, agentId, id);
    if (await this.schedules.remove(placeOf(agent), id)) await this.tell(row, 'deleted');
  }

  /** What became of its times, the latest first. */
  async listTimes(
    admin: AdminContext,
    agentId: string,
    { id, query }: { id: string; query: ListTimesQuery },
  ): Promise<Page<ScheduleTimeAnswerBody>> {
    const { row } = await this.require(admin, agentId, id);
    const { limit, cursor, outcome } = query;
    const before = cursor === undefined ? undefined : decodeCursor(Rfc3339Time, cursor);
    const rows = await this.times.list(row, { limit: limit + 1, outcome, before });
    return toPage(rows, limit, { item: toTimeAnswer, position: ({ dueAt }) => dueAt.toISOString() });
  }

  /** Whatever its rule says, and though it is paused. Under a key that the same admin has used for it: once. */
  async run(
    admin: AdminContext,
    agentId: string,
    { id, key }: { id: string; key?: string },
  ): Promise<RunsBegunBody> {
    await this.require(admin, agentId, id);
    const requestKey = key && requestKeyOf(admin, id, key);
    const job = { v: 1, orgId: admin.orgId, scheduleId: id, reason: 'now', requestKey } as const;
    const outcome = await this.queue
      .request(queues.agentSchedules, job, { timeoutMs: runWithinMs })
      .catch(isLate('agent runner'));
    if (outcome.status === 'refused') throw PlatformError.fromInfo(outcome.error);
    if (outcome.status === 'skipped') throw new PlatformError('conflict', { message: outcome.why });
    return { run_ids: outcome.runIds };
  }

  private async answer(agent: AgentEntity, row: AgentScheduleEntity): Promise<ScheduleAnswerBody> {
    return { ...toScheduleAnswer(row, agent), ...(await this.warnings.ofTrigger(agent)) };
  }

  private async require({ orgId }: AdminContext, agentId: string, id: string) {
    const agent = await this.agents.require(orgId, agentId);
    const row = await this.schedules.find(placeOf(agent), id);
    if (!row) throw new PlatformError('not_found');
    return { agent, row };
  }

  private async tell(
    { id, organizationId: orgId }: AgentScheduleEntity,
    change: 'created' | 'updated' | 'deleted',
  ): Promise<void> {
    await this.changes.announce({ entity: 'schedule', change, orgId, id });
  }
}

function requestKeyOf({ actor }: AdminContext, scheduleId: string, key: string): string {
  return createHash('sha256')
    .update(JSON.stringify([actor.kind, actor.id, scheduleId, key]))
    .digest('base64url');
}

function placeOf({ id: agentId, organizationId }: AgentEntity) {
  return { organizationId, agentId };
}

function newSchedule(agent: AgentEntity, body: CreateScheduleBody): AgentScheduleEntity {
  const now = new Date();
  const fixed = { id: uuidv7(), ...placeOf(agent), version: 1, createdAt: now, updatedAt: now };
  return Object.assign(new AgentScheduleEntity(), {
    ...fixed,
    name: body.name,
    rule: ruleOf(undefined, body, now),
    input: body.input,
    overlap: body.overlap ?? 'skip',
    catchUp: body.catch_up ?? 'last',
    isPaused: body.is_paused ?? false,
    activeSince: now,
  });
}

/** Another rule, and the end of a pause, begin anew: what was missed before is nobody's. */
function applySchedule(row: AgentScheduleEntity, body: UpdateScheduleBody): AgentScheduleEntity {
  const now = new Date();
  const next = Object.assign(new AgentScheduleEntity(), row, {
    name: body.name ?? row.name,
    rule: ruleOf(row.rule, body, now),
    input: body.input ?? row.input,
    overlap: body.overlap ?? row.overlap,
    catchUp: body.catch_up ?? row.catchUp,
    isPaused: body.is_paused ?? row.isPaused,
  });
  const isResumed = row.isPaused && !next.isPaused;
  if (isResumed || !isDeepStrictEqual(row.rule, next.rule)) next.activeSince = now;
  return next;
}
