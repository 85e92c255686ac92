import type { AgentDefinition, ErrorInfo, RunOutput, ToolCallOutcome } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import type { ModelMessage, ToolOutput } from '@switchyard/models';
import { oversizeOutput } from '../calls/oversize.js';
import { runMessages } from '../engine/conversation.js';
import type { RunNews } from '../watch/run-news.service.js';
import type { Claim, ClaimsRepository } from './claims.repository.js';
import { endLeftCalls } from './left-calls.js';
import type { RunCall, RunData, RunPlan, RunStep } from './run-data.js';
import { loadRun } from './run-rows.js';

type Beginning = { agent: AgentDefinition; plan: RunPlan; opening: ModelMessage };
export type NewStep = RunStep & { readonly startedAt: Date };
export type NewCall = Omit<RunCall, 'step' | 'attempt' | 'requestId' | 'isDecided'> & {
  readonly integrationId: string | null;
};
export type CallEnd = { state: 'ended' | 'waiting_reauth'; outcome: ToolCallOutcome; output: ToolOutput };
export type RunEnd =
  | { readonly state: 'completed'; readonly output: RunOutput }
  | { readonly state: 'failed'; readonly error: ErrorInfo }
  | { readonly state: 'cancelled' };

/** Writes each step of a run, under its claim, in one transaction. */
export class ProgressRepository {
  constructor(
    private readonly sql: Sql,
    private readonly claims: ClaimsRepository,
    private readonly news: RunNews,
    /** What a model may read of results in one run. */
    private readonly resultBytes: number,
  ) {}

  async load({ orgId, runId }: Claim): Promise<RunData> {
    const data = await loadRun(this.sql, orgId, runId);
    if (!data) throw new Error('a run that is held is gone');
    return data;
  }

  /** Throws `StopRun` where another has the run by now. */
  confirm(claim: Claim): Promise<void> {
    return this.claims.confirm(claim);
  }

  /** The definition, the tools and the conversation with which the run goes on from here. */
  async begin(claim: Claim, { agent, plan, opening }: Beginning): Promise<void> {
    await this.#write(claim, async (sql) => {
      const earlier = await sql.query<{ message: ModelMessage }>(
        `SELECT m.message FROM runs.messages m JOIN runs.runs r ON r.conversation_id = m.conversation_id
         WHERE r.id = $1 ORDER BY m.id`,
        [claim.runId],
      );
      const history = [...earlier.map(({ message }) => message), opening];
      await sql.query(
        `UPDATE runs.runs SET agent = $2::json, plan = $3::json, history = $4::json WHERE id = $1`,
        [claim.runId, ...[agent, plan, history].map((value) => JSON.stringify(value))],
      );
    });
  }

  /** The model's answer and the calls that it asks for, or its failure. */
  async addStep(claim: Claim, step: NewStep, calls: readonly NewCall[]): Promise<void> {
    await this.#write(claim, async (sql) => {
      const { usage } = step.answer ?? {};
      await sql.query(
        `INSERT INTO runs.run_steps (run_id, position, kind, request_id, answer, error, input_tokens, output_tokens,
           total_tokens, started_at) VALUES ($1, $2, $3, $4, $5::json, $6::json, $7, $8, $9, $10)`,
        [
          ...[claim.runId, step.position, step.kind, step.requestId, json(step.answer), json(step.error)],
          ...[usage?.inputTokens ?? null, usage?.outputTokens ?? null, usage?.totalTokens ?? null],
          step.startedAt,
        ],
      );
      for (const call of calls) await insertCall(sql, claim, step, call);
      await sql.query('UPDATE runs.runs SET iteration = $2 WHERE id = $1', [claim.runId, step.position + 1]);
    });
  }

  /**
   * How a call ended, as soon as it did: calls of one turn end one by one. The model does not read an output for which the run
   * has no room any more.
   */
  async endCall(claim: Claim, call: RunCall, { state, outcome, output }: CallEnd): Promise<void> {
    await this.#write(claim, (sql) =>
      sql.query(
        `UPDATE runs.run_calls SET state = $3, outcome = $4::json, waiting_since = now(),
           output = CASE WHEN octet_length($5::text) + ${bytesRead} > $6 THEN $7::json ELSE $5::json END,
           ended_at = CASE WHEN $3 = 'ended' THEN now() END WHERE run_id = $1 AND call_id = $2`,
        [
          ...[claim.runId, call.callId, state, json(outcome), state === 'ended' ? json(output) : null],
          ...[this.resultBytes, json(oversizeOutput)],
        ],
      ),
    );
  }

  /** A call that has to wait for a person, or waits no more. */
  async moveCall(
    claim: Claim,
    { callId }: RunCall,
    state: 'approval_wanted' | 'waiting_approval' | 'ready',
  ): Promise<void> {
    await this.#write(claim, (sql) =>
      sql.query(
        `UPDATE runs.run_calls SET state = $3, waiting_since = now(),
           decided_at = CASE WHEN $3 = 'ready' THEN now() ELSE decided_at END WHERE run_id = $1 AND call_id = $2`,
        [claim.runId, callId, state],
      ),
    );
  }

  /** Lets the run wait, unless `isStillSo` says of what is durable now that there is something to do. */
  async park(
    claim: Claim,
    state: 'waiting_approval' | 'waiting_reauth',
    isStillSo: (data: RunData) => boolean,
  ): Promise<boolean> {
    return this.#write(claim, async (sql) => {
      // News of a decision may have been lost, or have come before the call waited.
      await sql.query(readyWhereDecided, [claim.runId]);
      const data = await loadRun(sql, claim.orgId, claim.runId);
      if (!data || !isStillSo(data)) return false;
      await sql.query(`UPDATE runs.runs SET state = $2, runner_id = NULL, lease_until = NULL WHERE id = $1`, [
        claim.runId,
        state,
      ]);
      return true;
    });
  }

  /** Ends the run with the calls that it leaves open, and adds what was said to its conversation. */
  async end(claim: Claim, end: RunEnd): Promise<void> {
    await this.#write(claim, async (sql) => {
      await endLeftCalls(sql, claim.runId);
      await sql.query(
        `UPDATE runs.runs SET state = $2, output = $3::json, error = $4::json, ended_at = now(), runner_id = NULL,
           lease_until = NULL WHERE id = $1`,
        [
          ...[claim.runId, end.state],
          end.state === 'completed' ? json(end.output) : null,
          end.state === 'failed' ? json(end.error) : null,
        ],
      );
      const data = await loadRun(sql, claim.orgId, claim.runId);
      if (data?.run.conversationId) await appendMessages(sql, data);
    });
  }

  async #write<T>(claim: Claim, work: (sql: Sql) => Promise<T>): Promise<T> {
    const written = await this.claims.hold(claim, work);
    this.news.changed(claim.runId);
    return written;
  }
}

const bytesRead = `(SELECT coalesce(sum(octet_length(c.output::text)), 0) FROM runs.run_calls c WHERE c.run_id = $1)`;

const readyWhereDecided = `
  UPDATE runs.run_calls c SET state = 'ready', decided_at = now() FROM dispatch.v_calls v
  WHERE c.run_id = $1 AND c.state = 'waiting_approval' AND v.call_id = c.call_id AND v.status <> 'awaiting_approval'`;

async function insertCall(sql: Sql, { runId }: Claim, step: NewStep, call: NewCall): Promise<void> {
  await sql.query(
    `INSERT INTO runs.run_calls (run_id, step, position, call_id, request_id, asked, outward_name, state, outcome, output,
       integration_id, ended_at) VALUES ($1, $2, $3, $4, $5, $6::json, $7, $8, $9::json, $10::json, $11,
       CASE WHEN $8 = 'ended' THEN now() END)`,
    [
      ...[
        runId,
        step.position,
        call.position,
        call.callId,
        step.requestId,
        json(call.asked),
        call.outwardName,
      ],
      ...[call.state, json(call.outcome), json(call.output), call.integrationId],
    ],
  );
}

async function appendMessages(sql: Sql, data: RunData): Promise<void> {
  const { id, conversationId, history } = data.run;
  const said = [...(history ?? []).slice(-1), ...runMessages(data)];
  await sql.query(
    `INSERT INTO runs.messages (conversation_id, run_id, message)
     SELECT $1, $2, value FROM json_array_elements($3::json) WITH ORDINALITY ORDER BY ordinality`,
    [conversationId, id, JSON.stringify(said)],
  );
  await sql.query('UPDATE runs.conversations SET updated_at = now() WHERE id = $1', [conversationId]);
}

function json(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}
