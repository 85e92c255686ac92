import { Injectable } from '@nestjs/common';
import {
  type CallerContext,
  PlatformError,
  queues,
  type RunInput,
  terminalRunStates,
  topics,
} from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import { failureOutput } from '@switchyard/models';
import { QueueClient } from '@switchyard/queue';
import { Log } from '@switchyard/service-kit';
import { v7 } from 'uuid';
import { callIdOf } from '../calls/run-ids.js';
import type { Run, RunCall, RunData } from './run-data.js';
import { findRun, loadRun } from './run-rows.js';

/** A run to begin. */
export type NewRun = {
  readonly caller: CallerContext;
  readonly agentId: string;
  readonly input: RunInput;
  readonly conversationId?: string;
};

export type Connection = { readonly orgId: string; readonly userId: string; readonly integrationId: string };
export type Decision = { readonly callId: string; readonly approved: boolean; readonly reason?: string };

/** What others do with runs: begin, decide, resume, cancel. All of it is a row first, and a job or a message after. */
@Injectable()
export class RunsService {
  constructor(
    private readonly sql: Sql,
    private readonly queue: QueueClient,
    private readonly log: Log,
  ) {}

  /** Takes the run in; from here on it cannot be lost. Gives its id. */
  async start({ caller, agentId, input, conversationId }: NewRun): Promise<string> {
    const runId = v7();
    const { orgId } = caller;
    await this.sql.transaction(async (sql) => {
      if (conversationId) await holdConversation(sql, { caller, agentId, conversationId });
      await sql.query(
        `INSERT INTO runs.runs (id, org_id, agent_id, conversation_id, caller, input, next_sweep_at)
         VALUES ($1, $2, $3, $4, $5, $6::json, now() + interval '5 seconds')`,
        [runId, orgId, agentId, conversationId ?? null, JSON.stringify(caller), JSON.stringify(input)],
      );
    });
    await this.#enqueue(orgId, runId);
    return runId;
  }

  /** Undefined too for a run of another organization. */
  async find(orgId: string, runId: string): Promise<Run | undefined> {
    return findRun(this.sql, orgId, runId);
  }

  /** Approves or denies calls that wait for it, each once; the run goes on. Throws `conflict` for any other call. */
  async decide(orgId: string, runId: string, decisions: readonly Decision[]): Promise<void> {
    const isWaiting = await this.#change(orgId, runId, async (sql, run) => {
      for (const decision of decisions) await decideCall(sql, runId, decision);
      return isParked(run);
    });
    if (isWaiting) await this.#enqueue(orgId, runId);
  }

  /** Makes calls again that waited for the user to connect, all of them or those of one integration. */
  async resume(orgId: string, runId: string, integrationId?: string): Promise<void> {
    const isWaiting = await this.#change(orgId, runId, async (sql, run) => {
      const data = await loadRun(sql, orgId, runId);
      const waiting = data ? callsToConnect(data, integrationId) : [];
      for (const call of waiting) await callAgain(sql, run, call);
      return isParked(run) && waiting.length > 0;
    });
    if (isWaiting) await this.#enqueue(orgId, runId);
  }

  /** The user has connected the integration: what waited for that goes on. */
  async connected({ orgId, userId, integrationId }: Connection): Promise<void> {
    const rows = await this.sql.query<{ id: string }>(
      `SELECT DISTINCT r.id FROM runs.runs r JOIN runs.run_calls c ON c.run_id = r.id
       WHERE r.org_id = $1 AND r.caller ->> 'userId' = $2 AND r.ended_at IS NULL AND c.state = 'waiting_reauth'`,
      [orgId, userId],
    );
    for (const { id } of rows) await this.resume(orgId, id, integrationId);
  }

  /** Cancels a run that nobody drives at once; any other ends as soon as its runner hears. Does nothing at its end. */
  async cancel(orgId: string, runId: string): Promise<void> {
    const rows = await this.sql.query<{ state: string }>(
      `UPDATE runs.runs SET cancel_requested_at = coalesce(cancel_requested_at, now()),
         state = CASE WHEN state = 'running' THEN state ELSE 'cancelled' END,
         ended_at = CASE WHEN state = 'running' THEN NULL ELSE now() END
       WHERE id = $1 AND org_id = $2 AND ended_at IS NULL RETURNING state`,
      [runId, orgId],
    );
    if (rows[0]?.state !== 'running') return;
    await this.queue
      .publish(topics.runCancelled, { runId })
      .catch((err: unknown) =>
        this.log.warn({ err, runId }, 'a cancellation is left to the runner’s heartbeat'),
      );
  }

  /** Changes a run while nobody else does; a run that `work` wakes goes back to the queue. */
  async #change(
    orgId: string,
    runId: string,
    work: (sql: Sql, run: Run) => Promise<boolean>,
  ): Promise<boolean> {
    return this.sql.transaction(async (sql) => {
      await sql.query('SELECT 1 FROM runs.runs WHERE id = $1 AND org_id = $2 FOR UPDATE', [runId, orgId]);
      const run = await findRun(sql, orgId, runId);
      if (!run) throw new PlatformError('not_found');
      if (terminalRunStates.includes(run.state))
        throw new PlatformError('conflict', { message: `The run is ${run.state}.` });
      const wakes = await work(sql, run);
      if (wakes)
        await sql.query(
          `UPDATE runs.runs SET state = 'queued', next_sweep_at = now() + interval '5 seconds' WHERE id = $1`,
          [runId],
        );
      return wakes;
    });
  }

  /** It is queued either way: what is not in the queue now, the sweeper puts there. */
  async #enqueue(orgId: string, runId: string): Promise<void> {
    const [row] = await this.sql.query<{ fence: number }>('SELECT fence FROM runs.runs WHERE id = $1', [
      runId,
    ]);
    await this.queue
      .enqueue(queues.agentRuns, { v: 1, runId, orgId }, { jobId: `${runId}-${row?.fence ?? 0}` })
      .catch((err: unknown) => this.log.warn({ err, runId }, 'a run is left to the sweeper'));
  }
}

function callsToConnect({ run, calls }: RunData, integrationId: string | undefined): RunCall[] {
  const waiting = calls.filter(({ state }) => state === 'waiting_reauth');
  if (integrationId === undefined) return waiting;
  const names = run.plan?.tools.filter((tool) => tool.integrationId === integrationId);
  return waiting.filter((call) => names?.some(({ outwardName }) => outwardName === call.outwardName));
}

function isParked({ state }: Run): boolean {
  return state === 'waiting_approval' || state === 'waiting_reauth';
}

type Conversed = { caller: CallerContext; agentId: string; conversationId: string };

/** Makes the conversation, or throws where it is another's. */
async function holdConversation(sql: Sql, { caller, agentId, conversationId }: Conversed): Promise<void> {
  await sql.query(
    `INSERT INTO runs.conversations (id, org_id, agent_id, user_id) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING`,
    [conversationId, caller.orgId, agentId, caller.userId],
  );
  const own = await sql.query(
    `SELECT 1 FROM runs.conversations WHERE id = $1 AND org_id = $2 AND agent_id = $3 AND user_id IS NOT DISTINCT FROM $4`,
    [conversationId, caller.orgId, agentId, caller.userId],
  );
  if (own.length === 0) throw new PlatformError('not_found');
}

async function decideCall(sql: Sql, runId: string, { callId, approved, reason }: Decision): Promise<void> {
  const [call] = await sql.query<{ outward_name: string }>(
    `UPDATE runs.run_calls SET state = 'ready', decided_at = now()
     WHERE run_id = $1 AND call_id = $2 AND state = 'waiting_approval' RETURNING outward_name`,
    [runId, callId],
  );
  if (!call) throw new PlatformError('conflict', { message: 'The call does not wait for a decision.' });
  if (approved) return;
  const error = new PlatformError('forbidden', { message: reason ?? 'A person denied this call.' }).toInfo();
  const outcome = { callId, authPath: null, status: 'denied', error };
  const output = failureOutput(error, { outwardName: call.outward_name });
  await sql.query(
    `UPDATE runs.run_calls SET state = 'ended', ended_at = now(), outcome = $3::json, output = $4::json
     WHERE run_id = $1 AND call_id = $2`,
    [runId, callId, JSON.stringify(outcome), JSON.stringify(output)],
  );
}

/** What ended in the ledger stays there; the further attempt is a call of its own. */
async function callAgain(sql: Sql, run: Run, { step, position, asked, ...call }: RunCall): Promise<void> {
  const attempt = call.attempt + 1;
  const callId = callIdOf(run, { step, position, modelCallId: asked.id, attempt });
  await sql.query(
    `UPDATE runs.run_calls SET state = 'ready', call_id = $3, attempt = $4, outcome = NULL WHERE run_id = $1 AND call_id = $2`,
    [run.id, call.callId, callId, attempt],
  );
}
