import { scheduleTimes } from '@switchyard/schedules';
import type { AgentEntity } from '../agents/agent.entity.js';
import type { ScheduleAnswerBody, ScheduleTimeAnswerBody } from './agent-schedule.schemas.js';
import type { AgentScheduleEntity } from './agent-schedule.entity.js';
import type { ScheduleTime } from './schedule-times.repository.js';

export function toScheduleAnswer(
  row: AgentScheduleEntity,
  { isActive }: Pick<AgentEntity, 'isActive'>,
): ScheduleAnswerBody {
  return {
    id: row.id,
    organization_id: row.organizationId,
    agent_id: row.agentId,
    name: row.name,
    ...ruleFields(row.rule),
    input: row.input,
    overlap: row.overlap,
    catch_up: row.catchUp,
    is_paused: row.isPaused,
    next_run_at: row.isPaused || !isActive ? null : nextRunAt(row.rule),
    active_since: row.activeSince.toISOString(),
    version: row.version,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  };
}

export function toTimeAnswer(time: ScheduleTime): ScheduleTimeAnswerBody {
  return {
    due_at: time.dueAt.toISOString(),
    outcome: time.outcome,
    reason: time.why,
    run_id: time.runId,
    decided_at: time.createdAt.toISOString(),
  };
}

function nextRunAt(rule: AgentScheduleEntity['rule']): string | null {
  const next = scheduleTimes(rule).next(Date.now());
  return next === null ? null : new Date(next).toISOString();
}

function ruleFields(rule: AgentScheduleEntity['rule']) {
  return rule.type === 'cron'
    ? { cron: rule.cron, time_zone: rule.time_zone, interval_s: null, starts_at: null }
    : { cron: null, time_zone: null, interval_s: rule.every_s, starts_at: rule.starts_at };
}
