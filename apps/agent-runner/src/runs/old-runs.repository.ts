import { Injectable } from '@nestjs/common';
import { Sql } from '@switchyard/database';

/** Runs and conversations past their time. Each method takes one batch, and gives how many it found. */
@Injectable()
export class OldRunsRepository {
  constructor(private readonly sql: Sql) {}

  /** Ended runs of no conversation: of schedules, of webhooks, and of conversations that their users took away. */
  async removeRuns(days: number, batch: number): Promise<number> {
    return this.sql.transaction(async (sql) => {
      const old = await ids(
        sql,
        `SELECT id FROM runs.runs WHERE ended_at < now() - make_interval(days => $1::int) AND conversation_id IS NULL
         ORDER BY ended_at LIMIT $2 FOR UPDATE SKIP LOCKED`,
        [days, batch],
      );
      await removeRuns(sql, old);
      return old.length;
    });
  }

  /** Conversations in which nothing was said for so long, whole: half of one would mislead its model. */
  async removeConversations(days: number, batch: number): Promise<number> {
    return this.sql.transaction(async (sql) => {
      const old = await ids(
        sql,
        `SELECT id FROM runs.conversations c WHERE updated_at < now() - make_interval(days => $1::int)
           AND NOT EXISTS (SELECT 1 FROM runs.runs r WHERE r.conversation_id = c.id
             AND (r.ended_at IS NULL OR r.ended_at > now() - make_interval(days => $1::int)))
         ORDER BY updated_at LIMIT $2 FOR UPDATE SKIP LOCKED`,
        [days, batch],
      );
      await removeRuns(
        sql,
        await ids(sql, 'SELECT id FROM runs.runs WHERE conversation_id = ANY($1)', [old]),
      );
      await sql.query('DELETE FROM runs.conversations WHERE id = ANY($1)', [old]);
      return old.length;
    });
  }

  /** What became of a schedule's times. How far they were dealt with is the schedule's own row, which stays. */
  async removeTimes(days: number, batch: number): Promise<number> {
    const gone = await this.sql.query(
      `DELETE FROM runs.schedule_times WHERE ctid = ANY (ARRAY(SELECT ctid FROM runs.schedule_times
         WHERE created_at < now() - make_interval(days => $1::int) LIMIT $2)) RETURNING 1`,
      [days, batch],
    );
    return gone.length;
  }
}

async function removeRuns(sql: Sql, ids: readonly string[]): Promise<void> {
  for (const table of ['messages', 'run_calls', 'run_steps'])
    await sql.query(`DELETE FROM runs.${table} WHERE run_id = ANY($1)`, [ids]);
  await sql.query('DELETE FROM runs.runs WHERE id = ANY($1)', [ids]);
}

async function ids(sql: Sql, statement: string, params: unknown[]): Promise<string[]> {
  return (await sql.query<{ id: string }>(statement, params)).map(({ id }) => id);
}
