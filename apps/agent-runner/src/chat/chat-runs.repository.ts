import { Injectable } from '@nestjs/common';
import type { RunInput, RunState } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';

export type Conversation = {
  readonly id: string;
  readonly orgId: string;
  readonly agentId: string;
  readonly userId: string | null;
};
/** Whose it is. Another's conversation is none. */
export type Owner = { readonly orgId: string; readonly userId: string };
export type ChatRun = { readonly id: string; readonly state: RunState; readonly isOver: boolean };

export type RequestedRun = {
  readonly id: string;
  readonly conversationId: string | null;
  readonly digest: string;
  /** It is the last one of its conversation, and has not come to nothing. */
  readonly isLastWord: boolean;
};

/** A conversation of a user's list. */
export type ListedConversation = {
  readonly id: string;
  readonly agentId: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** `updatedAt` to the microsecond: dates of JavaScript are too coarse for a position in a list. */
  readonly position: string;
  readonly openRun: { readonly id: string; readonly state: RunState } | null;
};

/** Conversations and their runs, as their users ask for them. */
@Injectable()
export class ChatRunsRepository {
  constructor(private readonly sql: Sql) {}

  /** Whoever's it is. */
  async conversation(id: string): Promise<Conversation | undefined> {
    const [row] = await this.sql.query<Conversation>(
      `SELECT id, org_id AS "orgId", agent_id AS "agentId", user_id AS "userId" FROM runs.conversations WHERE id = $1`,
      [id],
    );
    return row;
  }

  async lastRun(conversationId: string): Promise<ChatRun | undefined> {
    const [row] = await this.sql.query<ChatRun>(
      `SELECT id, state, ended_at IS NOT NULL AS "isOver" FROM runs.runs WHERE conversation_id = $1 ORDER BY id DESC LIMIT 1`,
      [conversationId],
    );
    return row;
  }

  /** The run that a user's request under this key has begun. */
  async requested({ orgId, userId }: Owner, key: string): Promise<RequestedRun | undefined> {
    const [row] = await this.sql.query<RequestedRun>(
      `SELECT id, conversation_id AS "conversationId", idempotency_digest AS digest,
         conversation_id IS NOT NULL AND state NOT IN ('failed', 'cancelled') AND NOT EXISTS (SELECT 1 FROM runs.runs later
           WHERE later.conversation_id = r.conversation_id AND later.id > r.id) AS "isLastWord"
       FROM runs.runs r WHERE org_id = $1 AND caller ->> 'userId' = $2 AND idempotency_key = $3`,
      [orgId, userId, key],
    );
    return row;
  }

  /** The next request under its key begins another. */
  async forgetRequest(runId: string): Promise<void> {
    await this.sql.query('UPDATE runs.runs SET idempotency_key = NULL WHERE id = $1', [runId]);
  }

  /** The runs of a conversation, the newest first; those before one where that is given. */
  async runIds(conversationId: string, limit: number, before?: string): Promise<string[]> {
    const rows = await this.sql.query<{ id: string }>(
      `SELECT id FROM runs.runs WHERE conversation_id = $1 AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $2`,
      [conversationId, limit, before ?? null],
    );
    return rows.map(({ id }) => id);
  }

  /** What was touched last comes first. */
  async list(
    { orgId, userId }: Owner,
    filter: { limit: number; agentId?: string; after?: readonly [string, string] },
  ): Promise<ListedConversation[]> {
    const [position, id] = filter.after ?? [null, null];
    return this.sql.query<ListedConversation>(listSql, [
      ...[orgId, userId, filter.limit, filter.agentId ?? null],
      ...[position, id],
    ]);
  }

  /** What was said first in each; null where nothing was. */
  async firstInputs(conversationIds: readonly string[]): Promise<{ id: string; input: RunInput | null }[]> {
    return this.sql.query(firstInputsSql, [conversationIds]);
  }

  async find({ orgId, userId }: Owner, id: string): Promise<ListedConversation | undefined> {
    const [row] = await this.sql.query<ListedConversation>(
      `SELECT ${listed} WHERE c.id = $1 AND c.org_id = $2 AND c.user_id = $3`,
      [id, orgId, userId],
    );
    return row;
  }

  /**
   * Takes a conversation away from its user; false where a run of it is open. Its runs stay in the organization's history,
   * which is not the user's to delete.
   */
  async remove(id: string): Promise<boolean> {
    return this.sql.transaction(async (sql) => {
      await sql.query('SELECT 1 FROM runs.conversations WHERE id = $1 FOR UPDATE', [id]);
      const open = await sql.query(
        'SELECT 1 FROM runs.runs WHERE conversation_id = $1 AND ended_at IS NULL LIMIT 1',
        [id],
      );
      if (open.length > 0) return false;
      await sql.query('DELETE FROM runs.messages WHERE conversation_id = $1', [id]);
      await sql.query('UPDATE runs.runs SET conversation_id = NULL WHERE conversation_id = $1', [id]);
      await sql.query('DELETE FROM runs.conversations WHERE id = $1', [id]);
      return true;
    });
  }
}

const position = `to_char(c.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

const listed = `c.id, c.agent_id AS "agentId", c.created_at AS "createdAt", c.updated_at AS "updatedAt",
    ${position} AS position,
    (SELECT json_build_object('id', r.id, 'state', r.state) FROM runs.runs r
      WHERE r.conversation_id = c.id AND r.ended_at IS NULL LIMIT 1) AS "openRun"
  FROM runs.conversations c`;

const firstInputsSql = `SELECT c.id, (SELECT r.input FROM runs.runs r WHERE r.conversation_id = c.id ORDER BY r.id LIMIT 1)
    AS input FROM unnest($1::uuid[]) AS c (id)`;

const listSql = `SELECT ${listed} WHERE c.org_id = $1 AND c.user_id = $2 AND ($4::uuid IS NULL OR c.agent_id = $4)
    AND ($5::timestamptz IS NULL OR (c.updated_at, c.id) < ($5::timestamptz, $6::uuid))
  ORDER BY c.updated_at DESC, c.id DESC LIMIT $3`;
