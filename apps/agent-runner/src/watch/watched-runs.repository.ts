import { Injectable } from '@nestjs/common';
import type { ApprovalState, ApprovalTerms, ErrorInfo, RunOutput, RunState } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import { sumOfTokens } from '../history/sum-of-tokens.js';
import type { Run, RunCall, RunStep } from '../runs/run-data.js';

export type RunUsage = {
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly total_tokens: number | null;
};

export type WatchedCall = Pick<
  RunCall,
  'step' | 'position' | 'callId' | 'asked' | 'outwardName' | 'outcome'
> & {
  readonly state: string;
  readonly decidedAt: Date | null;
  readonly createdAt: Date;
  /** Null where nobody has to approve it. */
  readonly approval: WatchedApproval | null;
};

/** What the ledger says of the call's approval, while it waits and after. */
export type WatchedApproval = {
  readonly askedBy: string | null;
  readonly terms: ApprovalTerms;
  /** A time in ISO 8601. */
  readonly expiresAt: string;
};

/** A run as somebody sees it who watches it, from one of its steps on. */
export type WatchedRun = {
  readonly id: string;
  readonly orgId: string;
  readonly agentId: string;
  readonly conversationId: string | null;
  readonly input: Run['input'];
  readonly state: RunState;
  readonly output: RunOutput | null;
  readonly error: ErrorInfo | null;
  readonly createdAt: Date;
  readonly usage: RunUsage;
  readonly steps: readonly Pick<RunStep, 'position' | 'answer' | 'error'>[];
  readonly calls: readonly WatchedCall[];
};

/** What the run was planned with; null before. */
export type RunFrame = Pick<Run, 'agent' | 'plan'>;

/** Runs for those who watch them: without the history, which may be long, and only from where they are. */
@Injectable()
export class WatchedRunsRepository {
  constructor(private readonly sql: Sql) {}

  /** Undefined too for a run of another organization. */
  async find(orgId: string, runId: string, fromStep = 0): Promise<WatchedRun | undefined> {
    return this.sql.transaction(async (sql) => {
      // One moment for all rows: a call is never seen without the step that asked for it.
      await sql.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
      const [run] = await sql.query<Omit<WatchedRun, 'steps' | 'calls'>>(
        `${runSql} WHERE r.id = $1 AND r.org_id = $2`,
        [runId, orgId],
      );
      if (!run) return undefined;
      const steps = await sql.query<WatchedRun['steps'][number]>(stepsSql, [runId, fromStep]);
      return { ...run, steps, calls: await sql.query<WatchedCall>(callsSql, [runId, fromStep]) };
    });
  }

  async frame(runId: string): Promise<RunFrame | undefined> {
    const [frame] = await this.sql.query<RunFrame>('SELECT agent, plan FROM runs.runs WHERE id = $1', [
      runId,
    ]);
    return frame;
  }

  /** Where approvals of the run stand in the ledger; of calls too that were made again since under another id. */
  async approvalStates(runId: string, callIds: readonly string[]): Promise<Map<string, ApprovalState>> {
    const rows = await this.sql.query<{ id: string; state: ApprovalState }>(
      'SELECT call_id AS id, state FROM dispatch.v_approvals WHERE run_id = $1 AND call_id = ANY($2::uuid[])',
      [runId, callIds],
    );
    return new Map(rows.map(({ id, state }) => [id, state]));
  }

  /** What changes whenever there is something new to see. */
  async stamps(runIds: readonly string[]): Promise<{ id: string; stamp: string }[]> {
    return this.sql.query(stampsSql, [runIds]);
  }
}

const sum = (column: keyof RunUsage) =>
  `(SELECT ${sumOfTokens(column)} FROM runs.run_steps s WHERE s.run_id = r.id)`;

const runSql = `SELECT r.id, r.org_id AS "orgId", r.agent_id AS "agentId", r.conversation_id AS "conversationId", r.input,
    r.state, r.output, r.error, r.created_at AS "createdAt", json_build_object('input_tokens', ${sum('input_tokens')},
    'output_tokens', ${sum('output_tokens')}, 'total_tokens', ${sum('total_tokens')}) AS usage FROM runs.runs r`;

const stepsSql = `SELECT position, answer, error FROM runs.run_steps WHERE run_id = $1 AND position >= $2 ORDER BY position`;

const callsSql = `SELECT c.step, c.position, c.call_id AS "callId", c.asked, c.outward_name AS "outwardName", c.outcome, c.state,
    c.decided_at AS "decidedAt", c.created_at AS "createdAt",
    (SELECT json_build_object('askedBy', v.asked_by, 'terms', v.terms, 'expiresAt', v.expires_at)
      FROM dispatch.v_approvals v WHERE v.call_id = c.call_id) AS approval
  FROM runs.run_calls c WHERE c.run_id = $1 AND c.step >= $2 ORDER BY c.step, c.position`;

const stampsSql = `SELECT r.id, concat_ws('/', r.state, r.iteration, (SELECT string_agg(concat(c.call_id, c.state), ','
    ORDER BY c.step, c.position) FROM runs.run_calls c WHERE c.run_id = r.id AND c.state <> 'ended'),
    (SELECT count(*) FROM runs.run_calls c WHERE c.run_id = r.id AND c.state = 'ended')) AS stamp
  FROM runs.runs r WHERE r.id = ANY($1)`;
