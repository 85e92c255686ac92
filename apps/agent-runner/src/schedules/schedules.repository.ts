import { Injectable } from '@nestjs/common';
import { OverlapRule } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import { catchUpRules, ScheduleRule } from '@switchyard/schedules';
import { z } from 'zod';
import { inTurns } from './in-turns.js';
import type { PlannedTime } from './plan-times.js';

/** A schedule of an agent, as the registry publishes it. */
const Schedule = z.object({
  id: z.uuid(),
  orgId: z.uuid(),
  agentId: z.uuid(),
  name: z.string(),
  rule: ScheduleRule,
  input: z.string(),
  overlap: OverlapRule,
  catchUp: z.enum(catchUpRules),
  isPaused: z.boolean(),
  isAgentActive: z.boolean(),
  /** Times before are nobody's: it was paused, or had another rule. */
  activeSince: z.date(),
  /** Up to where its times were dealt with; null: none was. */
  handledUntil: z.date().nullable(),
});
export type Schedule = z.output<typeof Schedule>;

/** Without what the agent is asked: that is up to 64 KiB, and all schedules of all organizations are read at once. */
const ActiveSchedule = Schedule.omit({ input: true });
export type ActiveSchedule = z.output<typeof ActiveSchedule>;

export type ActiveSchedules = {
  readonly schedules: readonly ActiveSchedule[];
  readonly unreadable: readonly { readonly id: string; readonly error: Error }[];
};

/** How far a schedule's times were dealt with, held by whoever looks after it. */
export type HeldSchedule = { readonly handledUntil: number; readonly openRuns: number };

@Injectable()
export class SchedulesRepository {
  constructor(private readonly sql: Sql) {}

  /** Undefined too for a schedule of another organization. */
  async find(orgId: string, id: string): Promise<Schedule | undefined> {
    const [row] = await this.sql.query(
      `SELECT ${columns}, s.input ${from} WHERE s.id = $1 AND s.organization_id = $2`,
      [id, orgId],
    );
    return row && Schedule.parse(row);
  }

  /** Those that are to run, of all organizations: one that cannot be read must not keep the others from it. */
  async active(): Promise<ActiveSchedules> {
    const rows = await this.sql.query<{ id: string }>(
      `SELECT ${columns} ${from} WHERE NOT s.is_paused AND a.is_active`,
    );
    const schedules: ActiveSchedule[] = [];
    const unreadable: { id: string; error: Error }[] = [];
    for await (const row of inTurns(rows)) {
      const { data, error } = ActiveSchedule.safeParse(row);
      if (data) schedules.push(data);
      else unreadable.push({ id: row.id, error });
    }
    return { schedules, unreadable };
  }

  /** Locks the schedule until the transaction ends: of two runners one waits here, and finds that nothing is left to do. */
  async hold(sql: Sql, { id, orgId, activeSince }: Schedule): Promise<HeldSchedule> {
    await sql.query(
      `INSERT INTO runs.schedules (schedule_id, org_id, handled_until) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
      [id, orgId, activeSince],
    );
    const [row] = await sql.query<{ handledUntil: Date }>(
      `SELECT handled_until AS "handledUntil" FROM runs.schedules WHERE schedule_id = $1 FOR UPDATE`,
      [id],
    );
    const [open] = await sql.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM runs.runs WHERE trigger_id = $1 AND ended_at IS NULL`,
      [id],
    );
    const since = Math.max(activeSince.getTime(), row?.handledUntil.getTime() ?? 0);
    return { handledUntil: since, openRuns: open?.count ?? 0 };
  }

  /** The run that was asked for by the same job, or under the same key. */
  async askedRun(
    sql: Sql,
    { id: scheduleId, orgId }: Schedule,
    { id, key }: { id: string; key?: string },
  ): Promise<string | undefined> {
    const [row] = await sql.query<{ id: string }>(
      `SELECT id FROM runs.runs WHERE trigger_id = $1 AND org_id = $2 AND (id = $3 OR idempotency_key = $4) LIMIT 1`,
      [scheduleId, orgId, id, key ?? null],
    );
    return row?.id;
  }

  /** What became of one time. */
  async record(
    sql: Sql,
    { id, orgId }: Schedule,
    time: PlannedTime & { runId: string | null },
  ): Promise<void> {
    await sql.query(
      `INSERT INTO runs.schedule_times (schedule_id, due_at, org_id, outcome, why, run_id) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT DO NOTHING`,
      [id, new Date(time.dueAt), orgId, time.outcome, time.why, time.runId],
    );
  }

  async handled(sql: Sql, scheduleId: string, until: number): Promise<void> {
    await sql.query(`UPDATE runs.schedules SET handled_until = $2 WHERE schedule_id = $1`, [
      scheduleId,
      new Date(until),
    ]);
  }
}

const columns = `s.id, s.organization_id AS "orgId", s.agent_id AS "agentId", s.name, s.rule, s.overlap,
    s.catch_up AS "catchUp", s.is_paused AS "isPaused", a.is_active AS "isAgentActive", s.active_since AS "activeSince",
    h.handled_until AS "handledUntil"`;
const from = `FROM registry.v_schedules s JOIN registry.v_agents a ON a.id = s.agent_id
    LEFT JOIN runs.schedules h ON h.schedule_id = s.id`;
