import type { ApprovalState, Decider, ErrorInfo, SealedToolCall } from '@switchyard/contracts';
import type { Sql } from '@switchyard/database';
import { type WaitingCall, waitingColumns } from '../ledger/waiting-call.js';
import type { Approval, LockedCall } from './approval.js';

const columns = `a.call_id AS "callId", a.org_id AS "orgId", a.state, a.integration_id AS "integrationId",
  a.integration_slug AS "integrationSlug", a.tool, a.outward_name AS "outwardName", a.arguments_sha256 AS "argumentsSha256",
  a.policy_version AS "policyVersion", a.asked_by AS "askedBy", c.virtual_key_id AS "askedByKey", a.agent_id AS "agentId",
  a.run_id AS "runId", a.run_kind AS "runKind", a.terms, a.deadline_ms::float8 AS "deadlineMs", a.created_at AS "createdAt",
  a.expires_at AS "expiresAt", a.expires_at <= now() AS "isPast", a.decided_at AS "decidedAt",
  a.decided_by_kind AS "decidedByKind", a.decided_by AS "decidedBy", a.reason, c.status AS "callState"`;
const joined = 'dispatch.approvals a JOIN dispatch.tool_calls c USING (call_id)';

export type ApprovalFilter = {
  readonly orgId: string;
  readonly state?: ApprovalState;
  readonly runId?: string;
  readonly agentId?: string;
  /** Outward name. */
  readonly tool?: string;
  /** Slug or id. */
  readonly integration?: string;
  readonly askedBy?: string;
  /** Only what this user asked for or may decide; absent: all of the organization. */
  readonly seenBy?: { readonly userId: string; readonly roles: readonly string[] };
  /** Only what this decider may decide. */
  readonly decidableBy?: Decider;
};

/** What a person decided, and when it was theirs to decide. */
export type Decided = { decider: Decider; reason: string | null };

/** The SQL of approvals. */
export class ApprovalsRepository {
  constructor(private readonly sql: Sql) {}

  transaction<T>(work: (rows: ApprovalsRepository) => Promise<T>): Promise<T> {
    return this.sql.transaction((sql) => work(new ApprovalsRepository(sql)));
  }

  /**
   * Inside a transaction: whoever else decides about this call, ends it or would start it waits for the end of ours. The call's row
   * is locked first, as by everybody who ends a call; the approval is read after that, so that nothing of it is old.
   */
  async lock(callId: string, orgId: string): Promise<LockedCall | undefined> {
    const [call] = await this.sql.query<WaitingCall>(
      `SELECT ${waitingColumns} FROM dispatch.tool_calls WHERE call_id = $1 AND org_id = $2 FOR UPDATE`,
      [callId, orgId],
    );
    const approval = call && (await this.find(callId, orgId));
    return approval && { approval, call };
  }

  async find(callId: string, orgId: string): Promise<Approval | undefined> {
    const [row] = await this.sql.query<Approval>(
      `SELECT ${columns} FROM ${joined} WHERE a.call_id = $1 AND a.org_id = $2`,
      [callId, orgId],
    );
    return row;
  }

  /** Whether the run of the agent has ended, or is to end, or was removed long after its end. */
  async isRunOver(runId: string, orgId: string): Promise<boolean> {
    const goingOn = await this.sql.query(
      `SELECT 1 FROM runs.v_runs WHERE id = $1 AND (org_id <> $2 OR (cancel_requested_at IS NULL AND ended_at IS NULL))`,
      [runId, orgId],
    );
    return goingOn.length === 0;
  }

  async argumentsOf(callId: string): Promise<unknown> {
    const [row] = await this.sql.query<{ arguments: unknown }>(
      'SELECT arguments FROM dispatch.tool_calls WHERE call_id = $1',
      [callId],
    );
    return row?.arguments ?? null;
  }

  /** The call is a job from here on, under the seal that gives it its time. */
  async approve(callId: string, sealed: SealedToolCall, decided: Decided): Promise<WaitingCall | undefined> {
    await this.decide(callId, 'approved', decided);
    const [call] = await this.sql.query<WaitingCall>(
      `UPDATE dispatch.tool_calls SET status = 'queued', sealed = $2, deadline_at = to_timestamp($3::float8 / 1000),
         next_sweep_at = now() + interval '20 seconds', sweeps = 0
       WHERE call_id = $1 AND status = 'awaiting_approval' RETURNING ${waitingColumns}`,
      [callId, JSON.stringify(sealed), sealed.call.deadlineAt],
    );
    return call;
  }

  /** The call ends here and was never sent. */
  async refuse(
    callId: string,
    state: 'denied' | 'stale',
    { error, ...decided }: Decided & { error: ErrorInfo },
  ): Promise<void> {
    await this.decide(callId, state, decided);
    await this.sql.query(
      `UPDATE dispatch.tool_calls SET status = 'denied', error_code = $2, error_message = left($3, 2000),
         error_details = $4, ended_at = now(), next_sweep_at = NULL
       WHERE call_id = $1 AND status = 'awaiting_approval'`,
      [callId, error.code, error.message, error.details ? JSON.stringify(error.details) : null],
    );
  }

  /** The latest first; `after` is the call id of the last row before. */
  async list(filter: ApprovalFilter, page: { after: string | null; limit: number }): Promise<Approval[]> {
    const { where, values } = conditions(filter, page.after);
    return this.sql.query<Approval>(
      `SELECT ${columns} FROM ${joined} WHERE ${where.join(' AND ')} ORDER BY a.call_id DESC LIMIT $${values.length + 1}`,
      [...values, page.limit],
    );
  }

  /** Approvals of which the audit log has not heard all, with the state of which it did hear last. */
  async unaudited(limit: number): Promise<(Approval & { auditedState: ApprovalState | null })[]> {
    return this.sql.query(
      `SELECT ${columns}, a.audited_state AS "auditedState" FROM ${joined}
       WHERE a.audited_state IS DISTINCT FROM a.state ORDER BY a.call_id LIMIT $1`,
      [limit],
    );
  }

  async markAudited(rows: readonly Pick<Approval, 'callId' | 'state'>[]): Promise<void> {
    await this.sql.query(
      `UPDATE dispatch.approvals a SET audited_state = told.state
       FROM unnest($1::uuid[], $2::text[]) AS told(call_id, state) WHERE a.call_id = told.call_id`,
      [rows.map(({ callId }) => callId), rows.map(({ state }) => state)],
    );
  }

  /** Inside a transaction. False: another worker is at it. */
  async lockAudit(): Promise<boolean> {
    const [row] = await this.sql.query<{ mine: boolean }>(
      `SELECT pg_try_advisory_xact_lock(hashtextextended('dispatch.approvals.audit', 0)) AS mine`,
    );
    return row?.mine ?? false;
  }

  private async decide(callId: string, state: ApprovalState, { decider, reason }: Decided): Promise<void> {
    await this.sql.query(
      `UPDATE dispatch.approvals SET state = $2, decided_at = now(), decided_by_kind = $3, decided_by = $4, reason = $5
       WHERE call_id = $1 AND state = 'pending'`,
      [callId, state, decider.kind, decider.kind === 'user' ? decider.userId : null, reason],
    );
  }
}

/** Each condition that was asked for, and no other: so that the planner sees which index serves. */
function conditions(filter: ApprovalFilter, after: string | null): { where: string[]; values: unknown[] } {
  const where: string[] = [];
  const values: unknown[] = [];
  const add = (value: unknown, condition: (parameter: string) => string): void => {
    if (value === undefined || value === null) return;
    where.push(condition(`$${values.push(value)}`));
  };
  add(filter.orgId, (value) => `a.org_id = ${value}`);
  add(filter.state, (value) => `a.state = ${value}`);
  add(filter.runId, (value) => `a.run_id = ${value}`);
  add(filter.agentId, (value) => `a.agent_id = ${value}`);
  add(filter.tool, (value) => `a.outward_name = ${value}`);
  add(filter.integration, (value) => `(a.integration_slug = ${value} OR a.integration_id::text = ${value})`);
  add(filter.askedBy, (value) => `a.asked_by = ${value}`);
  add(after, (value) => `a.call_id < ${value}`);
  const { seenBy, decidableBy } = filter;
  if (seenBy) where.push(`(${named(seenBy, values)} OR a.asked_by = $${values.push(seenBy.userId)})`);
  if (decidableBy?.kind === 'user') where.push(decidable(decidableBy, values));
  return { where, values };
}

/** As `mayDecide` says it. */
function decidable(user: Decider & { kind: 'user' }, values: unknown[]): string {
  const self = `a.terms -> 'selfApproval' = 'true'`;
  const others = user.isAdmin ? 'true' : named(user, values);
  return `CASE WHEN a.asked_by = $${values.push(user.userId)} THEN ${self} ELSE ${others} END`;
}

function named({ userId, roles }: { userId: string; roles: readonly string[] }, values: unknown[]): string {
  return `(a.terms -> 'approverUserIds' ? $${values.push(userId)}
    OR a.terms -> 'approverRoles' ?| $${values.push(roles)}::text[])`;
}
