import { Injectable } from '@nestjs/common';
import type { AuditEvent } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import { type ChainedEvent, type ChainHead, platformChain } from './audit-chain.js';

export type AuditFilter = {
  readonly action?: string;
  readonly result?: string;
  readonly userId?: string;
  readonly integrationId?: string;
  readonly callId?: string;
  readonly actorId?: string;
  readonly authPath?: string;
  readonly code?: string;
  readonly from?: Date;
  readonly to?: Date;
};
export type StoredHead = ChainHead & { readonly seal: Buffer };

type EventRow = Omit<AuditEvent, 'orgId' | 'actor'> &
  Omit<ChainedEvent, 'event'> & { actorKind: AuditEvent['actor']['kind']; actorId: string | null };

const columns = `chain, sequence, id, (extract(epoch FROM at) * 1000)::bigint AS at, action, result,
  actor_kind AS "actorKind", actor_id AS "actorId", user_id AS "userId", integration_id AS "integrationId",
  call_id AS "callId", auth_path AS "authPath", code, details, previous_hash AS "previousHash", hash`;

/** Far more than a batch takes, so that a lease never waits for long behind a database that hangs. */
const limits = `SELECT set_config('lock_timeout', '4000', true), set_config('statement_timeout', '5000', true)`;

@Injectable()
export class AuditEventsRepository {
  constructor(private readonly sql: Sql) {}

  /** Adds events to one chain. `link` gets the head, which stays locked until the events are stored. */
  async append(
    chain: string,
    link: (head: StoredHead | null) => { events: ChainedEvent[]; head: StoredHead },
  ): Promise<void> {
    await this.sql.transaction(async (sql) => {
      await sql.query(limits);
      await sql.query(`SELECT pg_advisory_xact_lock(hashtextextended('broker.audit:' || $1, 0))`, [chain]);
      const [row] = await sql.query<StoredHead>(
        `SELECT sequence, hash, seal FROM broker.audit_heads WHERE chain = $1 FOR UPDATE`,
        [chain],
      );
      const { events, head } = link(row ?? null);
      await sql.query(insertion, [JSON.stringify(events.map(toRow))]);
      await sql.query(
        `INSERT INTO broker.audit_heads (chain, sequence, hash, seal) VALUES ($1, $2, $3, $4)
         ON CONFLICT (chain) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash, seal = excluded.seal`,
        [chain, head.sequence, head.hash, head.seal],
      );
    });
  }

  async head(chain: string): Promise<StoredHead | null> {
    const rows = await this.sql.query<StoredHead>(
      `SELECT sequence, hash, seal FROM broker.audit_heads WHERE chain = $1`,
      [chain],
    );
    return rows[0] ?? null;
  }

  /** In the order of the chain, for its verification. */
  async after(chain: string, sequence: number, limit: number): Promise<ChainedEvent[]> {
    const rows = await this.sql.query<EventRow>(
      `SELECT ${columns} FROM broker.audit_events WHERE chain = $1 AND sequence > $2 ORDER BY sequence LIMIT $3`,
      [chain, sequence, limit],
    );
    return rows.map(toEvent);
  }

  /** The latest first, before the sequence of a cursor. */
  async list(chain: string, filter: AuditFilter, page: { before: number | null; limit: number }) {
    const rows = await this.sql.query<EventRow>(
      `SELECT ${columns} FROM broker.audit_events
       WHERE chain = $1 AND ($2::bigint IS NULL OR sequence < $2) AND ($3::text IS NULL OR action = $3)
         AND ($4::text IS NULL OR result = $4) AND ($5::uuid IS NULL OR user_id = $5)
         AND ($6::uuid IS NULL OR integration_id = $6) AND ($7::uuid IS NULL OR call_id = $7)
         AND ($8::timestamptz IS NULL OR at >= $8) AND ($9::timestamptz IS NULL OR at < $9)
         AND ($10::text IS NULL OR actor_id = $10) AND ($11::text IS NULL OR auth_path = $11)
         AND ($12::text IS NULL OR code = $12)
       ORDER BY sequence DESC LIMIT $13`,
      [
        ...[chain, page.before, filter.action, filter.result, filter.userId, filter.integrationId],
        ...[filter.callId, filter.from, filter.to, filter.actorId, filter.authPath, filter.code, page.limit],
      ].map((value) => value ?? null),
    );
    return rows.map(toEvent);
  }
}

const insertion = `
  INSERT INTO broker.audit_events (chain, sequence, id, at, action, result, actor_kind, actor_id, user_id, integration_id,
    call_id, auth_path, code, details, previous_hash, hash)
  SELECT chain, sequence, id, to_timestamp(at / 1000.0), action, result, actor_kind, actor_id, user_id, integration_id,
    call_id, auth_path, code, details, decode(previous_hash, 'hex'), decode(hash, 'hex')
  FROM jsonb_to_recordset($1::jsonb) AS given (chain uuid, sequence bigint, id uuid, at bigint, action text, result text,
    actor_kind text, actor_id text, user_id uuid, integration_id uuid, call_id uuid, auth_path text, code text,
    details jsonb, previous_hash text, hash text)`;

function toRow({ chain, sequence, id, event, previousHash, hash }: ChainedEvent): Record<string, unknown> {
  const { at, action, result, actor, userId, integrationId, callId, authPath, code, details } = event;
  return {
    ...{ chain, sequence, id, at, action, result, code, details },
    ...{ actor_kind: actor.kind, actor_id: actor.id, user_id: userId, integration_id: integrationId },
    ...{ call_id: callId, auth_path: authPath },
    ...{ previous_hash: previousHash.toString('hex'), hash: hash.toString('hex') },
  };
}

function toEvent(row: EventRow): ChainedEvent {
  const { chain, sequence, id, previousHash, hash, actorKind, actorId, ...rest } = row;
  const event: AuditEvent = {
    ...rest,
    at: Number(rest.at),
    orgId: chain === platformChain ? null : chain,
    actor: { kind: actorKind, id: actorId },
  };
  return { chain, sequence: Number(sequence), id, event, previousHash, hash };
}
