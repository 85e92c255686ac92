import { Injectable } from '@nestjs/common';
import { Sql } from '@switchyard/database';
import type { ScheduleTimeAnswerBody } from './agent-schedule.schemas.js';

/** A row of `runs.v_schedule_times`, which the agent runner writes. */
export type ScheduleTime = {
  readonly dueAt: Date;
  readonly outcome: ScheduleTimeAnswerBody['outcome'];
  readonly why: ScheduleTimeAnswerBody['reason'];
  readonly runId: string | null;
  readonly createdAt: Date;
};

type Filter = {
  readonly limit: number;
  readonly outcome?: ScheduleTime['outcome'];
  readonly before?: string;
};

/** What became of the times of a schedule, the latest first. */
@Injectable()
export class ScheduleTimesRepository {
  constructor(private readonly sql: Sql) {}

  async list(
    { id, organizationId }: { readonly id: string; readonly organizationId: string },
    { limit, outcome, before }: Filter,
  ): Promise<ScheduleTime[]> {
    return this.sql.query<ScheduleTime>(
      `SELECT due_at AS "dueAt", outcome, why, run_id AS "runId", created_at AS "createdAt" FROM runs.v_schedule_times
       WHERE schedule_id = $1 AND org_id = $2 AND ($3::text IS NULL OR outcome = $3)
         AND ($4::timestamptz IS NULL OR due_at < $4) ORDER BY due_at DESC LIMIT $5`,
      [id, organizationId, outcome ?? null, before ?? null, limit],
    );
  }
}
