import { Injectable } from '@nestjs/common';
import {
  agentRunQueue,
  type CallerContext,
  laneOf,
  PlatformError,
  terminalRunStates,
} from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import { QueueClient } from '@switchyard/queue';
import { Log } from '@switchyard/service-kit';
import { callIdOf } from '../calls/run-ids.js';
import type { Run, RunCall, RunData } from './run-data.js';
import { findRun, loadRun } from './run-rows.js';

export type Connection = { readonly orgId: string; readonly userId: string; readonly integrationId: string };
type RunName = { readonly orgId: string; readonly runId: string };

const batch = 200;

/** What wakes a run that waits for somebody: a decision about a call, or a user who has connected an integration. */
@Injectable()
export class WaitingRuns {
  constructor(
    private readonly sql: Sql,
    private readonly queue: QueueClient,
    private readonly log: Log,
  ) {}

  /** Dispatch says that the call waits for nobody any more. Its ledger row has what became of it. */
  async decided({ orgId, runId }: RunName, callId: string): Promise<void> {
    await this.#wake({ orgId, runId }, async (sql) => {
      const rows = await sql.query(
        `UPDATE runs.run_calls SET state = 'ready', decided_at = now()
         WHERE run_id = $1 AND call_id = $2 AND state = 'waiting_approval' RETURNING 1`,
        [runId, callId],
      );
      return rows.length > 0;
    });
  }

  /** Makes calls again that waited for the user to connect, all of them or those of one integration. */
  async resume({ orgId, runId }: RunName, integrationId?: string): Promise<void> {
    await this.#wake({ orgId, runId }, async (sql, run) => {
      const data = await loadRun(sql, orgId, runId);
      const waiting = data ? callsToConnect(data, integrationId) : [];
      for (const call of waiting) await callAgain(sql, run, call);
      return waiting.length > 0;
    });
  }

  /** The user has connected the integration: what waited for that goes on. */
  async connected({ orgId, userId, integrationId }: Connection): Promise<void> {
    const rows = await this.sql.query<{ id: string }>(
      `SELECT DISTINCT r.id FROM runs.runs r JOIN runs.run_calls c ON c.run_id = r.id
       WHERE c.state = 'waiting_reauth' AND c.integration_id = $3
         AND r.org_id = $1 AND r.caller ->> 'userId' = $2 AND r.ended_at IS NULL`,
      [orgId, userId, integrationId],
    );
    for (const { id } of rows) await this.resume({ orgId, runId: id }, integrationId);
  }

  /** Wakes the runs of which the news was lost. */
  async sweep(): Promise<void> {
    const decided = await this.sql.query<RunName & { callId: string }>(lostDecisions, [batch]);
    for (const { callId, ...run } of decided) await this.decided(run, callId);
    const connected = await this.sql.query<RunName & { integrationId: string }>(lostConnections, [batch]);
    for (const { integrationId, ...run } of connected) await this.resume(run, integrationId);
  }

  /** Changes the run while nobody else does; where `work` has changed something and the run waits, it goes on. */
  async #wake({ orgId, runId }: RunName, work: (sql: Sql, run: Run) => Promise<boolean>): Promise<void> {
    const isQueued = await this.sql.transaction(async (sql) => {
      await sql.query('SELECT 1 FROM runs.runs WHERE id = $1 AND org_id = $2 FOR UPDATE', [runId, orgId]);
      const run = await findRun(sql, orgId, runId);
      if (!run) throw new PlatformError('not_found');
      if (terminalRunStates.includes(run.state) || !(await work(sql, run)) || !isParked(run)) return false;
      await sql.query(
        `UPDATE runs.runs SET state = 'queued', next_sweep_at = now() + interval '5 seconds' WHERE id = $1`,
        [runId],
      );
      return true;
    });
    if (isQueued) await enqueueRun({ sql: this.sql, queue: this.queue, log: this.log }, orgId, runId);
  }
}

/** It is queued either way: what is not in the queue now, the sweeper puts there. */
export async function enqueueRun(
  { sql, queue, log }: { sql: Sql; queue: QueueClient; log: Log },
  orgId: string,
  runId: string,
): Promise<void> {
  const [row] = await sql.query<{ fence: number; runKind: CallerContext['runKind'] }>(
    `SELECT fence, caller ->> 'runKind' AS "runKind" FROM runs.runs WHERE id = $1`,
    [runId],
  );
  if (!row) return;
  await queue
    .enqueue(agentRunQueue(laneOf(row.runKind)), { v: 1, runId, orgId }, { jobId: `${runId}-${row.fence}` })
    .catch((err: unknown) => log.warn({ err, runId }, 'a run is left to the sweeper'));
}

const lostDecisions = `
  SELECT r.id AS "runId", r.org_id AS "orgId", c.call_id AS "callId"
  FROM runs.run_calls c JOIN runs.runs r ON r.id = c.run_id AND r.ended_at IS NULL
    JOIN dispatch.v_calls v ON v.call_id = c.call_id
  WHERE c.state = 'waiting_approval' AND v.status <> 'awaiting_approval' LIMIT $1`;

const lostConnections = `
  SELECT DISTINCT r.id AS "runId", r.org_id AS "orgId", c.integration_id AS "integrationId"
  FROM runs.run_calls c JOIN runs.runs r ON r.id = c.run_id AND r.ended_at IS NULL
    JOIN broker.v_credential_states s ON s.integration_id = c.integration_id
      AND s.user_id::text = r.caller ->> 'userId' AND s.organization_id = r.org_id
  WHERE c.state = 'waiting_reauth' AND s.state = 'active' AND s.state_since > c.waiting_since LIMIT $1`;

function callsToConnect({ run, calls }: RunData, integrationId: string | undefined): RunCall[] {
  const waiting = calls.filter(({ state }) => state === 'waiting_reauth');
  if (integrationId === undefined) return waiting;
  const names = run.plan?.tools.filter((tool) => tool.integrationId === integrationId);
  return waiting.filter((call) => names?.some(({ outwardName }) => outwardName === call.outwardName));
}

function isParked({ state }: Run): boolean {
  return state === 'waiting_approval' || state === 'waiting_reauth';
}

/**
 * What ended in the ledger stays there; the further attempt is a call of its own. An approval held for the first one alone, so
 * that the further one of a tool that needs it asks again.
 */
async function callAgain(sql: Sql, run: Run, { step, position, asked, ...call }: RunCall): Promise<void> {
  const attempt = call.attempt + 1;
  const callId = callIdOf(run, { step, position, modelCallId: asked.id, attempt });
  const state = call.isDecided ? 'approval_wanted' : 'ready';
  await sql.query(
    `UPDATE runs.run_calls SET state = $5, call_id = $3, attempt = $4, outcome = NULL, decided_at = NULL
     WHERE run_id = $1 AND call_id = $2`,
    [run.id, call.callId, callId, attempt, state],
  );
}
