import { Injectable } from '@nestjs/common';
import type {
  CallerContext,
  CallState,
  ErrorInfo,
  RunInput,
  RunOutput,
  RunState,
} from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import type { ModelAnswer } from '@switchyard/models';
import type { RunCall, RunPlan } from '../runs/run-data.js';
import { sumOfTokens } from './sum-of-tokens.js';
import type { RunFilter } from './run-filter.js';

/** A run without what it was given and what came of it, which may be megabytes. */
export type RunRow = {
  readonly id: string;
  readonly agentId: string;
  readonly agentName: string | null;
  readonly conversationId: string | null;
  readonly kind: CallerContext['runKind'];
  readonly userId: string | null;
  readonly triggerId: string | null;
  readonly scheduledFor: Date | null;
  readonly isHeld: boolean;
  readonly state: RunState;
  readonly iteration: number;
  readonly error: ErrorInfo | null;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly inputTokens: number;
  readonly outputTokens: number;
};

export type WholeRunRow = RunRow & {
  readonly input: RunInput;
  readonly plan: RunPlan | null;
  readonly output: RunOutput | null;
};

export type StepRow = {
  readonly runId: string;
  readonly position: number;
  readonly kind: string;
  readonly requestId: string;
  readonly answer: ModelAnswer | null;
  readonly error: ErrorInfo | null;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly startedAt: Date;
  readonly endedAt: Date;
};

/** A call that the model asked for, with its row of the ledger, which forgets sooner than a run does. */
export type CallRow = {
  readonly runId: string;
  readonly step: number;
  readonly position: number;
  readonly callId: string;
  readonly attempt: number;
  readonly requestId: string;
  readonly outwardName: string | null;
  readonly asked: RunCall['asked'];
  readonly state: RunCall['state'];
  readonly outcome: Record<string, unknown> | null;
  readonly status: CallState | null;
  readonly authPath: string | null;
  readonly attempts: number | null;
  readonly acceptedAt: Date | null;
  readonly sentAt: Date | null;
  readonly endedAt: Date | null;
};

export type ApprovalRow = {
  readonly runId: string;
  readonly callId: string;
  readonly state: string;
  readonly outwardName: string;
  readonly argumentsSha256: string;
  readonly askedBy: string | null;
  readonly decidedByKind: string | null;
  readonly decidedBy: string | null;
  readonly decidedAt: Date | null;
  readonly reason: string | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
};

/** What was of runs: their steps, calls and approvals, linked by the ids of runs, requests and calls. */
@Injectable()
export class HistoryRepository {
  constructor(private readonly sql: Sql) {}

  /** The newest first. */
  async runs({ where, params }: RunFilter, limit: number): Promise<RunRow[]> {
    return this.sql.query<RunRow>(
      `SELECT ${runColumns} ${runs} WHERE ${where} ORDER BY r.id DESC LIMIT ${limit}`,
      [...params],
    );
  }

  /** The newest first. */
  async wholeRuns(runIds: readonly string[]): Promise<WholeRunRow[]> {
    return this.sql.query<WholeRunRow>(
      `SELECT ${runColumns}, r.input, r.plan, r.output ${runs} WHERE r.id = ANY($1::uuid[]) ORDER BY r.id DESC`,
      [runIds],
    );
  }

  /** How much there is to read of runs with their steps and calls, the newest first. */
  async weights({ where, params }: RunFilter, limit: number): Promise<{ id: string; bytes: number }[]> {
    return this.sql.query(`${weights(where, limit)} ORDER BY r.id DESC`, [...params]);
  }

  async steps(runIds: readonly string[]): Promise<StepRow[]> {
    return this.sql.query<StepRow>(
      `SELECT run_id AS "runId", position, kind, request_id AS "requestId", answer, error,
         input_tokens::float8 AS "inputTokens", output_tokens::float8 AS "outputTokens", started_at AS "startedAt", ended_at AS "endedAt"
       FROM runs.run_steps WHERE run_id = ANY($1::uuid[]) ORDER BY run_id DESC, position`,
      [runIds],
    );
  }

  async calls(runIds: readonly string[]): Promise<CallRow[]> {
    return this.sql.query<CallRow>(
      `SELECT c.run_id AS "runId", c.step, c.position, c.call_id AS "callId", c.attempt, c.request_id AS "requestId",
         c.outward_name AS "outwardName", c.asked, c.state, c.outcome, v.status, v.auth_path AS "authPath", v.attempts,
         v.accepted_at AS "acceptedAt", v.started_at AS "sentAt", coalesce(v.ended_at, c.ended_at) AS "endedAt"
       FROM runs.run_calls c LEFT JOIN dispatch.v_calls v ON v.call_id = c.call_id
       WHERE c.run_id = ANY($1::uuid[]) ORDER BY c.run_id DESC, c.step, c.position`,
      [runIds],
    );
  }

  async approvals(runIds: readonly string[]): Promise<ApprovalRow[]> {
    return this.sql.query<ApprovalRow>(
      `SELECT run_id AS "runId", call_id AS "callId", state, outward_name AS "outwardName", asked_by AS "askedBy",
         arguments_sha256 AS "argumentsSha256", decided_by_kind AS "decidedByKind", decided_by AS "decidedBy",
         decided_at AS "decidedAt", reason, created_at AS "createdAt", expires_at AS "expiresAt"
       FROM dispatch.v_approvals WHERE run_id = ANY($1::uuid[]) ORDER BY run_id DESC, call_id`,
      [runIds],
    );
  }
}

const runColumns = `r.id, r.agent_id AS "agentId", coalesce(a.name, r.agent ->> 'name') AS "agentName", r.conversation_id AS "conversationId",
    r.caller ->> 'runKind' AS kind, r.caller ->> 'userId' AS "userId", r.trigger_id AS "triggerId",
    r.scheduled_for AS "scheduledFor", r.is_held AS "isHeld", r.state, r.iteration, r.error, r.created_at AS "createdAt",
    r.started_at AS "startedAt", r.ended_at AS "endedAt", u.input_tokens AS "inputTokens", u.output_tokens AS "outputTokens"`;

const runs = `FROM runs.runs r LEFT JOIN registry.v_agents a ON a.id = r.agent_id
    LEFT JOIN LATERAL (SELECT coalesce(${sumOfTokens('input_tokens')}, 0) AS input_tokens,
      coalesce(${sumOfTokens('output_tokens')}, 0) AS output_tokens FROM runs.run_steps s WHERE s.run_id = r.id) u ON true`;

/** Of the texts themselves: what PostgreSQL stores of them is compressed. */
function weights(where: string, limit: number): string {
  const bytesOf = (...columns: string[]): string =>
    columns.map((column) => `coalesce(octet_length(${column}::text), 0)`).join(' + ');
  return `SELECT r.id, (${bytesOf('r.input', 'r.plan', 'r.output')}
      + coalesce((SELECT sum(${bytesOf('s.answer', 's.error')}) FROM runs.run_steps s WHERE s.run_id = r.id), 0)
      + coalesce((SELECT sum(${bytesOf('c.asked', 'c.outcome')}) FROM runs.run_calls c WHERE c.run_id = r.id), 0)
    )::float8 AS bytes
    FROM (SELECT * FROM runs.runs r WHERE ${where} ORDER BY r.id DESC LIMIT ${limit}) r`;
}
