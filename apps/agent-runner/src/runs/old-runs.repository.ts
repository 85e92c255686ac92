import { Injectable } from '@nestjs/common';
import { Sql } from '@switchyard/database';

/** Runs and conversations past their time. Each method takes one batch, and gives how many it found. */
@Injectable()
export class OldRunsRepository {
  constructor(private readonly sql: Sql) {}

  /**
   * Ended runs of no conversation: of schedules, of webhooks, and of conversations that their users took away. Those are kept as long as
   * if they had not: the history is the organization's, and no user's to shorten.
   */
  async removeRuns(days: { readonly run: number; readonly chat: number }, batch: number): Promise<number> {
    return this.sql.transaction(async (sql) => {
      const old = await ids(
        sql,
        `SELECT id FROM runs.runs WHERE conversation_id IS NULL AND ended_at < now() - make_interval(days => least($1::int, $2::int))
           AND ended_at < now() - make_interval(days => CASE WHEN caller ->> 'runKind' = 'chat' THEN $2::int ELSE $1::int END)
         ORDER BY ended_at LIMIT $3 FOR UPDATE SKIP LOCKED`,
        [days.run, days.chat, batch],
      );
      await removeRuns(sql, old);
      return old.length;
    });
  }

  /** Conversations in which nothing was said for so long, whole: half of one would mislead its model. */
  async removeConversations(days: number, batch: number): Promise<number> {
    return this.sql.transaction(async (sql) => {
      const quiet = await ids(
        sql,
        `SELECT id FROM runs.conversations c WHERE updated_at < now() - make_interval(days => $1::int) AND ${isQuiet}
         ORDER BY updated_at LIMIT $2 FOR UPDATE SKIP LOCKED`,
        [days, batch],
      );
      // A run may have begun before the lock was there. From here on none does: its conversation is ours.
      const old = await ids(sql, `SELECT id FROM runs.conversations c WHERE id = ANY($2) AND ${isQuiet}`, [
        days,
        quiet,
      ]);
      await removeRuns(
        sql,
        await ids(sql, 'SELECT id FROM runs.runs WHERE conversation_id = ANY($1)', [old]),
      );
      await sql.query('DELETE FROM runs.conversations WHERE id = ANY($1)', [old]);
      return quiet.length;
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

const isQuiet = `NOT EXISTS (SELECT 1 FROM runs.runs r WHERE r.conversation_id = c.id
  AND (r.ended_at IS NULL OR r.ended_at > now() - make_interval(days => $1::int)))`;

async function removeRuns(sql: Sql, ids: readonly string[]): Promise<void> {
  for (const table of ['messages', 'run_calls', 'run_steps'])
    await sql.query(`DELETE FROM runs.${table} WHERE run_id = ANY($1)`, [ids]);
  await sql.query('DELETE FROM runs.runs WHERE id = ANY($1)', [ids]);
}

async function ids(sql: Sql, statement: string, params: unknown[]): Promise<string[]> {
  return (await sql.query<{ id: string }>(statement, params)).map(({ id }) => id);
}
