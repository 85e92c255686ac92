import type { ApprovalWish, ErrorInfo, ToolCallJob } from '@switchyard/contracts';
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

type Accepted = { readonly job: ToolCallJob; readonly integrationSlug: string };

/**
 * Writes the call into dispatch's ledger, by the one door that others have, if its id is new. A known Idempotency-Key
 * writes nothing and gives the first call; `conflict` says that that one had another tool or other arguments.
 */
export async function acceptCall(
  sql: Sql,
  { job, integrationSlug }: Accepted,
  entry: LedgerEntry,
): Promise<Acceptance> {
  const key = 'error' in entry ? undefined : entry.idempotency;
  const [row] = await sql.prepared<{ call_id: string; existing: boolean; conflict: boolean }>(
    'SELECT call_id, existing, conflict FROM dispatch.accept_call($1::jsonb, $2::json, $3::jsonb, $4, $5, $6, $7, $8::jsonb)',
    [
      JSON.stringify(job.sealed),
      JSON.stringify(job.arguments),
      job.meta === undefined ? null : JSON.stringify(job.meta),
      job.progress,
      entry.status,
      key?.key ?? null,
      key?.digest ?? null,
      JSON.stringify({ integration_slug: integrationSlug, ...detailsOf(job, entry) }),
    ],
  );
  if (!row) throw new Error('dispatch.accept_call gave no row');
  return { callId: row.call_id, existing: row.existing, conflict: row.conflict };
}

function detailsOf(job: ToolCallJob, entry: LedgerEntry) {
  const trace_id = currentTraceparent()?.split('-')[1];
  if ('error' in entry) return { trace_id, error_code: entry.error.code, error_message: entry.error.message };
  const idempotency_ttl_ms = entry.idempotency?.ttlMs;
  const approval = 'approval' in entry ? entry.approval : undefined;
  return { trace_id, idempotency_ttl_ms, subject_token: job.subjectToken, resume: job.resume, approval };
}
