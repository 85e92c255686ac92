import type { ApprovalState, ApprovalWish, ErrorInfo, ToolCallJob } from '@switchyard/contracts';
import { currentTraceparent } from '@switchyard/service-kit';
import type { Sql } from '../sql.js';

/** What became of a call that was to be accepted. */
export type Acceptance = { readonly callId: string; readonly existing: boolean; readonly conflict: boolean };

/** A second call under the same key must have the same digest. */
export type IdempotencyTerms = { readonly key: string; readonly digest: string; readonly ttlMs: number };

/**
 * How a call enters the ledger: to be run, to wait for a person (until the deadline that its seal covers; what it is given
 * to run is in the wish), or ended before it was ever sent.
 */
export type LedgerEntry =
  | { readonly status: 'accepted'; readonly idempotency?: IdempotencyTerms }
  | {
      readonly status: 'awaiting_approval';
      readonly approval: ApprovalWish;
      readonly idempotency?: IdempotencyTerms;
    }
  | { readonly status: 'expired' | 'cancelled'; readonly error: ErrorInfo };

/** A call with its job, as a face has made it. */
export type AcceptedCall = { readonly job: ToolCallJob; readonly integrationSlug: string };

/**
 * Writes the call into dispatch's ledger, by the one door that others have, if its id is new. A known Idempotency-Key
 * writes nothing and gives the first call; `conflict` says that that one had another tool or other arguments.
 */
export async function acceptCall(
  sql: Sql,
  { job, integrationSlug }: AcceptedCall,
  entry: LedgerEntry,
): Promise<Acceptance> {
  const key = 'error' in entry ? undefined : entry.idempotency;
  const [row] = await sql.prepared<{ call_id: string; existing: boolean; conflict: boolean }>(
    'SELECT call_id, existing, conflict FROM dispatch.accept_call($1::jsonb, $2::json, $3::jsonb, $4, $5, $6, $7, $8::jsonb)',
    [
      ...jobValues(job),
      entry.status,
      key?.key ?? null,
      key?.digest ?? null,
      JSON.stringify({ integration_slug: integrationSlug, ...detailsOf(job, entry) }),
    ],
  );
  if (!row) throw new Error('dispatch.accept_call gave no row');
  return { callId: row.call_id, existing: row.existing, conflict: row.conflict };
}

/** Where a call stands that had to ask a person: it waits, or it was approved or denied and nobody had been told. */
export type AskedApproval = {
  readonly callId: string;
  readonly state: ApprovalState;
  readonly expiresAt: Date;
};

/**
 * Writes the call as one that waits for a person; unless its caller made the same call before, at the same face: then that
 * one's approval is given, while it waits, and once when it was decided.
 */
export async function askApproval(
  sql: Sql,
  { job, integrationSlug }: AcceptedCall,
  approval: ApprovalWish,
): Promise<AskedApproval> {
  const details = detailsOf(job, { status: 'awaiting_approval', approval });
  const [row] = await sql.prepared<AskedApproval>(
    `SELECT call_id AS "callId", state, expires_at AS "expiresAt"
     FROM dispatch.ask_approval($1::jsonb, $2::json, $3::jsonb, $4, $5::jsonb)`,
    [...jobValues(job), JSON.stringify({ integration_slug: integrationSlug, ...details })],
  );
  if (!row) throw new Error('dispatch.ask_approval gave no row');
  return row;
}

/** What was decided about the call is told now: the same call, made again, asks anew. */
export async function pickUpApproval(sql: Sql, callId: string): Promise<void> {
  await sql.prepared('SELECT dispatch.pick_up_approval($1)', [callId]);
}

function jobValues(job: ToolCallJob): unknown[] {
  return [
    JSON.stringify(job.sealed),
    JSON.stringify(job.arguments),
    job.meta === undefined ? null : JSON.stringify(job.meta),
    job.progress,
  ];
}

function detailsOf(job: ToolCallJob, entry: LedgerEntry) {
  const trace_id = currentTraceparent()?.split('-')[1];
  if ('error' in entry) return { trace_id, error_code: entry.error.code, error_message: entry.error.message };
  const idempotency_ttl_ms = entry.idempotency?.ttlMs;
  const approval = 'approval' in entry ? entry.approval : undefined;
  return { trace_id, idempotency_ttl_ms, subject_token: job.subjectToken, resume: job.resume, approval };
}
