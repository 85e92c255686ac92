import { randomUUID } from 'node:crypto';
import type { AgentDefinition, CallerContext } from '@switchyard/contracts';
import type { Sql } from '@switchyard/database';
import { v7 } from 'uuid';

export type LargeRuns = {
  readonly agent: AgentDefinition;
  readonly caller: CallerContext;
  readonly runs: number;
  /** Of each run. */
  readonly calls: number;
  /** Of each call's result. */
  readonly resultBytes: number;
};

/** A conversation of runs that have ended, with results of tools as large as that; the newest run is the last. */
export async function addLargeRuns(sql: Sql, large: LargeRuns) {
  const conversationId = randomUUID();
  const { agent, caller, runs, calls, resultBytes } = large;
  await sql.query('INSERT INTO runs.conversations (id, org_id, agent_id, user_id) VALUES ($1, $2, $3, $4)', [
    ...[conversationId, agent.orgId, agent.id, caller.userId],
  ]);
  const runIds = Array.from({ length: runs }, () => v7());
  await sql.query(runsSql, [
    ...[runIds, agent.orgId, agent.id, conversationId],
    ...[JSON.stringify({ ...caller, runKind: 'chat' }), calls, resultBytes],
  ]);
  await sql.query(
    `INSERT INTO runs.run_steps (run_id, position, kind, request_id, answer, input_tokens, output_tokens, started_at)
     SELECT unnest($1::uuid[]), 0, 'turn', gen_random_uuid(), $2::json, 3, 2, now()`,
    [runIds, JSON.stringify({ text: 'Done.', toolCalls: [], finishReason: 'stop' })],
  );
  await sql.query(callsSql, [runIds, calls, resultBytes]);
  return { conversationId, runIds };
}

const outcome = (bytes: string) =>
  `json_build_object('status', 'completed', 'result', json_build_object('content',
    json_build_array(json_build_object('type', 'text', 'text', repeat('x', ${bytes})))))`;

/** The output has the results once more, as that of an agent without `agentic_mode`. */
const runsSql = `INSERT INTO runs.runs (id, org_id, agent_id, conversation_id, caller, input, state, output, ended_at)
  SELECT id, $2, $3, $4, $5, '{"text":"go"}', 'completed', json_build_object('kind', 'tool_results', 'results',
    (SELECT coalesce(json_agg(json_build_object('callId', gen_random_uuid(), 'outwardName', 'up_add', 'outcome',
      ${outcome('$7::int')})), '[]') FROM generate_series(1, $6::int))), now() FROM unnest($1::uuid[]) AS id`;

const callsSql = `INSERT INTO runs.run_calls (run_id, step, position, call_id, request_id, asked, outward_name, state, outcome)
  SELECT id, 0, n, gen_random_uuid(), gen_random_uuid(), '{"id":"c","name":"up_add","arguments":{}}', 'up_add', 'ended',
    ${outcome('$3::int')} FROM unnest($1::uuid[]) AS id, generate_series(0, $2::int - 1) AS n`;
