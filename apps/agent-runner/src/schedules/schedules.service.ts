import { Injectable } from '@nestjs/common';
import { PlatformError, type ScheduleOutcome } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import { scheduleTimes } from '@switchyard/schedules';
import { askedRunIdOf } from '../calls/run-ids.js';
import { type NewRun, RunsService, type RunTrigger } from '../runs/runs.service.js';
import { unattendedCaller } from '../runs/unattended-caller.js';
import { mostOpen, type PlannedTime, planTimes } from './plan-times.js';
import { type Schedule, SchedulesRepository } from './schedules.repository.js';

/** Begins the runs of schedules. Whatever wakes it, and however often, each time of a schedule is dealt with once. */
@Injectable()
export class Schedules {
  constructor(
    private readonly rows: SchedulesRepository,
    private readonly runs: RunsService,
    private readonly sql: Sql,
  ) {}

  /** Deals with the times that are due by `now`. */
  async runDue(orgId: string, scheduleId: string, now = Date.now()): Promise<ScheduleOutcome> {
    const schedule = await this.rows.find(orgId, scheduleId);
    if (!schedule) return { status: 'skipped', why: 'not_found' };
    if (schedule.isPaused) return { status: 'skipped', why: 'paused' };
    if (!schedule.isAgentActive) return { status: 'skipped', why: 'agent_inactive' };
    const begun = await this.sql.transaction((sql) => this.#runHeld(sql, schedule, now));
    const started = begun.filter(({ outcome }) => outcome === 'started');
    for (const { runId } of started) if (runId !== null) await this.runs.announce(orgId, runId);
    const runIds = begun.flatMap(({ runId }) => runId ?? []);
    if (runIds.length > 0) return { status: 'started', runIds };
    return { status: 'skipped', why: begun.at(-1)?.why ?? 'not_due' };
  }

  /**
   * Runs it once more, whatever its rule says; but not beside a run of it that has not ended. The same job, however often it
   * comes, is answered with the same run, and so is another one of the same key.
   */
  async runNow(orgId: string, scheduleId: string, asking: Asking): Promise<ScheduleOutcome> {
    if (Date.now() - asking.enqueuedAt > askedWithinMs)
      return refused('It was asked for too long ago: ask again.');
    const schedule = await this.rows.find(orgId, scheduleId);
    if (!schedule) return { status: 'refused', error: new PlatformError('not_found').toInfo() };
    if (!schedule.isAgentActive) return refused('Its agent is switched off.');
    const { how, id } = await this.sql.transaction((sql) => this.#runAsked(sql, schedule, asking));
    if (how === 'overlaps' || how === 'queue_full') return refused(whyNot[how]);
    if (how === 'started') await this.runs.announce(orgId, id);
    return { status: 'started', runIds: [id] };
  }

  async #runAsked(sql: Sql, schedule: Schedule, asking: Asking): Promise<Asked> {
    const { openRuns } = await this.rows.hold(sql, schedule);
    const id = askedRunIdOf(schedule.id, asking);
    const key = asking.requestKey && `asked:${asking.requestKey}`;
    const known = await this.rows.askedRun(sql, schedule, { id, key });
    if (known) return { how: 'known', id: known };
    if (openRuns > 0 && schedule.overlap === 'skip') return { how: 'overlaps', id };
    if (openRuns >= mostOpen) return { how: 'queue_full', id };
    const isHeld = openRuns > 0;
    const run = toRun(schedule, { id: schedule.id, isHeld });
    await this.runs.insert(sql, { ...run, id, ...(key && { requestKey: { key, digest: key } }) });
    return { how: isHeld ? 'held' : 'started', id };
  }

  async #runHeld(sql: Sql, schedule: Schedule, now: number): Promise<Begun[]> {
    const { handledUntil, openRuns } = await this.rows.hold(sql, schedule);
    const { overlap, catchUp } = schedule;
    const times = scheduleTimes(schedule.rule);
    const planned = planTimes({ times, overlap, catchUp, handledUntil, now, openRuns });
    const begun: Begun[] = [];
    for (const time of planned) begun.push(await this.#begin(sql, schedule, time));
    if (now > handledUntil) await this.rows.handled(sql, schedule.id, now);
    return begun;
  }

  async #begin(sql: Sql, schedule: Schedule, time: PlannedTime): Promise<Begun> {
    const trigger = {
      ...{ id: schedule.id, scheduledFor: new Date(time.dueAt), isHeld: time.outcome === 'held' },
    };
    const runId = time.outcome === 'skipped' ? null : await this.runs.insert(sql, toRun(schedule, trigger));
    await this.rows.record(sql, schedule, { ...time, runId });
    return { ...time, runId };
  }
}

/** What a job says of itself, under its seal. */
type Asking = {
  readonly correlationId: string;
  readonly enqueuedAt: number;
  readonly requestKey?: string;
};

type Asked = {
  readonly how: 'known' | 'overlaps' | 'queue_full' | 'held' | 'started';
  readonly id: string;
};

const whyNot = {
  overlaps: 'A run of the schedule has not ended, and its overlap rule is skip.',
  queue_full: `${mostOpen} runs of the schedule have not ended: wait for some of them, or cancel them.`,
};

/** Whoever asked has long gone then; and a run may be forgotten, by whose id the job would be known again. */
const askedWithinMs = 10 * 60_000;

type Begun = PlannedTime & { readonly runId: string | null };

function toRun(schedule: Schedule, trigger: RunTrigger): NewRun {
  const { agentId, input } = schedule;
  return { caller: unattendedCaller('schedule', schedule), agentId, input: { text: input }, trigger };
}

function refused(message: string): ScheduleOutcome {
  return { status: 'refused', error: new PlatformError('conflict', { message }).toInfo() };
}
