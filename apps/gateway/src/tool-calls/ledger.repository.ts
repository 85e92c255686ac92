import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { ApprovalWish, CallerContext, CallState, ErrorInfo } from '@switchyard/contracts';
import {
  acceptCall,
  type Acceptance,
  askApproval,
  type AskedApproval,
  findLedgerCalls,
  type LedgerCall,
  ledgerSummary,
  pickUpApproval,
  Sql,
} from '@switchyard/database';
import { canonicalJson } from '@switchyard/queue';
import type { GatedCall, PreparedCall } from './prepared-call.js';

type Keyed = { readonly idempotencyKey?: string; readonly idempotencyTtlMs: number };

/** How a call enters the ledger: to be run, to wait for a person, or ended before it was ever sent. */
export type Entry =
  | ({ readonly status: 'accepted' } & Keyed)
  | ({ readonly status: 'awaiting_approval'; readonly approval: ApprovalWish } & Keyed)
  | { readonly status: 'expired' | 'cancelled'; readonly error: ErrorInfo };

export type CallFilter = {
  readonly limit: number;
  readonly before?: string;
  readonly status?: CallState;
  readonly tool?: string;
};

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
    return findLedgerCalls(this.sql, callIds);
  }

  /** Undefined too for calls of others. */
  async findOwn(caller: CallerContext, callId: string): Promise<LedgerCall | undefined> {
    const [row] = await this.sql.query<LedgerCall>(
      `SELECT ${ledgerSummary}, arguments, result FROM dispatch.v_calls WHERE ${owned} AND call_id = $4`,
      [...ownerOf(caller), callId],
    );
    return row;
  }

  /** Newest first, one more than `limit`. Without arguments and results. */
  async listOwn(caller: CallerContext, { limit, before, status, tool }: CallFilter): Promise<LedgerCall[]> {
    return this.sql.query<LedgerCall>(
      `SELECT ${ledgerSummary} FROM dispatch.v_calls WHERE ${owned}
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
    const call = { job, integrationSlug: tool.integration.slug };
    if ('error' in entry) return acceptCall(this.sql, call, entry);
    const { idempotencyKey: key, idempotencyTtlMs: ttlMs, ...begins } = entry;
    const idempotency = key === undefined ? undefined : { key, ttlMs, digest: digestOf(job) };
    return acceptCall(this.sql, call, { ...begins, idempotency });
  }

  /** The call waits for a person, or finds what became of the same call before. */
  async ask({ job, tool, approval }: GatedCall): Promise<AskedApproval> {
    return askApproval(this.sql, { job, integrationSlug: tool.integration.slug }, approval);
  }

  /** The caller is told what became of it: the same call, made again, asks anew. */
  async pickUp(callId: string): Promise<void> {
    return pickUpApproval(this.sql, callId);
  }
}

/** What a second call under the same Idempotency-Key must share with the first: a name may mean another tool by now. */
function digestOf({ arguments: args, resume, sealed: { call } }: PreparedCall['job']): string {
  const content = canonicalJson([call.integrationId, call.tool, args, resume ?? null]);
  return createHash('sha256').update(content).digest('hex');
}

function ownerOf(caller: CallerContext): [string, string | null, string | null] {
  return [caller.orgId, caller.userId, caller.virtualKeyId];
}
