import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { CallerContext, CallState, ErrorInfo } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import { canonicalJson } from '@switchyard/queue';
import { currentTraceparent } from '@switchyard/service-kit';
import type { PreparedCall } from './prepared-call.js';

/** A row of `dispatch.v_calls`. */
export type LedgerCall = {
  call_id: string;
  integration_id: string;
  tool: string;
  integration_slug: string;
  outward_name: string;
  status: CallState;
  safe: boolean | null;
  arguments?: Record<string, unknown> | null;
  result?: Record<string, unknown> | null;
  error_code: string | null;
  error_message: string | null;
  error_details: Record<string, unknown> | null;
  retry_after_ms: number | null;
  auth_path: string | null;
  attempts: number;
  accepted_at: Date;
  started_at: Date | null;
  ended_at: Date | null;
  deadline_at: Date;
  result_bytes: number | null;
};

export type Acceptance = { readonly callId: string; readonly existing: boolean; readonly conflict: boolean };

/** How a call enters the ledger: to be run, or ended before it was ever sent. */
export type Entry =
  | { readonly status: 'accepted'; readonly idempotencyKey?: string; readonly idempotencyTtlMs: number }
  | { readonly status: 'expired' | 'cancelled'; readonly error: ErrorInfo };

export type CallFilter = {
  readonly limit: number;
  readonly before?: string;
  readonly status?: CallState;
  readonly tool?: string;
};

const summary = `call_id, integration_id, tool, integration_slug, outward_name, status, safe, error_code, error_message, error_details,
  retry_after_ms, auth_path, attempts, accepted_at, started_at, ended_at, deadline_at, result_bytes`;
/** A key sees its calls, an anonymous caller those that nobody else owns. */
const owned = `org_id = $1 AND user_id IS NOT DISTINCT FROM $2 AND virtual_key_id IS NOT DISTINCT FROM $3`;

/** What the gateway may do with dispatch's ledger: read its view, and accept calls. */
@Injectable()
export class LedgerRepository {
  constructor(private readonly sql: Sql) {}

  /** Whoever the owner is: for calls that this process itself has accepted. */
  async find(callId: string): Promise<LedgerCall | undefined> {
    const [row] = await this.findMany([callId]);
    return row;
  }

  async findMany(callIds: readonly string[]): Promise<LedgerCall[]> {
    return this.sql.query<LedgerCall>(
      `SELECT ${summary}, result FROM dispatch.v_calls WHERE call_id = ANY($1::uuid[])`,
      [callIds],
    );
  }

  /** Undefined too for calls of others. */
  async findOwn(caller: CallerContext, callId: string): Promise<LedgerCall | undefined> {
    const [row] = await this.sql.query<LedgerCall>(
      `SELECT ${summary}, arguments, result FROM dispatch.v_calls WHERE ${owned} AND call_id = $4`,
      [...ownerOf(caller), callId],
    );
    return row;
  }

  /** Newest first, one more than `limit`. Without arguments and results. */
  async listOwn(caller: CallerContext, { limit, before, status, tool }: CallFilter): Promise<LedgerCall[]> {
    return this.sql.query<LedgerCall>(
      `SELECT ${summary} FROM dispatch.v_calls WHERE ${owned}
         AND ($4::uuid IS NULL OR call_id < $4) AND ($5::text IS NULL OR status = $5)
         AND ($6::text IS NULL OR outward_name = $6)
       ORDER BY call_id DESC LIMIT $7`,
      [...ownerOf(caller), before ?? null, status ?? null, tool ?? null, limit + 1],
    );
  }

  /**
   * Writes the call, if its id is new. A known Idempotency-Key writes nothing and gives the first call; `conflict`
   * says that that one had another tool or other arguments.
   */
  async accept({ job, tool }: PreparedCall, entry: Entry): Promise<Acceptance> {
    const isNew = entry.status === 'accepted';
    const details = {
      integration_slug: tool.integration.slug,
      trace_id: currentTraceparent()?.split('-')[1],
      ...(isNew && {
        idempotency_ttl_ms: entry.idempotencyTtlMs,
        subject_token: job.subjectToken,
        resume: job.resume,
      }),
      ...(!isNew && { error_code: entry.error.code, error_message: entry.error.message }),
    };
    const [row] = await this.sql.prepared<{ call_id: string; existing: boolean; conflict: boolean }>(
      'SELECT call_id, existing, conflict FROM dispatch.accept_call($1::jsonb, $2::json, $3::jsonb, $4, $5, $6, $7, $8::jsonb)',
      [
        JSON.stringify(job.sealed),
        JSON.stringify(job.arguments),
        job.meta === undefined ? null : JSON.stringify(job.meta),
        job.progress,
        entry.status,
        isNew ? (entry.idempotencyKey ?? null) : null,
        digestOf(job),
        JSON.stringify(details),
      ],
    );
    if (!row) throw new Error('dispatch.accept_call gave no row');
    return { callId: row.call_id, existing: row.existing, conflict: row.conflict };
  }
}

/** What a second call under the same Idempotency-Key must share with the first. */
function digestOf({ arguments: args, resume }: PreparedCall['job']): string {
  const content = canonicalJson(resume ? [args, resume] : args);
  return createHash('sha256').update(content).digest('hex');
}

function ownerOf(caller: CallerContext): [string, string | null, string | null] {
  return [caller.orgId, caller.userId, caller.virtualKeyId];
}
