import type { Sql } from '@switchyard/database';
import type { Run, RunCall, RunData, RunStep } from './run-data.js';

const runColumns = `id, org_id AS "orgId", agent_id AS "agentId", conversation_id AS "conversationId", caller,
  subject_token AS "subjectToken", input, state,
  agent, plan, history, output, error, cancel_requested_at IS NOT NULL AS "cancelRequested", created_at AS "createdAt"`;
const callColumns = `step, position, call_id AS "callId", attempt, request_id AS "requestId", asked,
  outward_name AS "outwardName", state, decided_at IS NOT NULL AS "isDecided", outcome, output`;

/** Undefined too for a run of another organization. */
export async function findRun(sql: Sql, orgId: string, runId: string): Promise<Run | undefined> {
  const [run] = await sql.query<Run>(`SELECT ${runColumns} FROM runs.runs WHERE id = $1 AND org_id = $2`, [
    runId,
    orgId,
  ]);
  return run;
}

/** All of a run; undefined too for a run of another organization. */
export async function loadRun(sql: Sql, orgId: string, runId: string): Promise<RunData | undefined> {
  const run = await findRun(sql, orgId, runId);
  if (!run) return undefined;
  const steps = await sql.query<RunStep>(
    `SELECT position, kind, request_id AS "requestId", answer, error FROM runs.run_steps WHERE run_id = $1 ORDER BY position`,
    [runId],
  );
  const calls = await sql.query<RunCall>(
    `SELECT ${callColumns} FROM runs.run_calls WHERE run_id = $1 ORDER BY step, position`,
    [runId],
  );
  return { run, steps, calls };
}
