import { grant } from '@switchyard/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Runs of agents, their steps and calls, and the conversations that they belong to. */
export class Runs1796000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [conversations, runs, steps, calls, views]) await runner.query(statement);
    await grant(runner, {
      on: 'ALL TABLES IN SCHEMA runs',
      to: ['agent-runner'],
      privilege: 'SELECT, INSERT, UPDATE, DELETE',
    });
    await grant(runner, { on: 'runs.v_runs', to: ['gateway', 'registry'], privilege: 'SELECT' });
    // The ledger's own migrations ran where this role did not exist yet.
    await grant(runner, { on: 'FUNCTION dispatch.accept_call', to: ['agent-runner'], privilege: 'EXECUTE' });
    await grant(runner, { on: 'dispatch.v_calls', to: ['agent-runner'], privilege: 'SELECT' });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP VIEW runs.v_runs, runs.v_run_steps, runs.v_run_calls');
    await runner.query(
      'DROP TABLE runs.run_calls, runs.run_steps, runs.messages, runs.runs, runs.conversations',
    );
  }
}

const conversations = `
  CREATE TABLE runs.conversations (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    user_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE INDEX conversations_by_user ON runs.conversations (org_id, user_id, updated_at DESC)`;

/*
 * What models and tools say is `json` and not `jsonb`: jsonb refuses the escape \u0000, which both may write.
 * `fence` counts the claims: a runner that lost its claim writes nothing more. `claims_without_progress`
 * finds runs that kill whoever takes them. `agent`, `plan` and `history` are
 * written once, by the step that plans the run.
 */
const runs = `
  CREATE TABLE runs.runs (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    conversation_id uuid REFERENCES runs.conversations,
    caller jsonb NOT NULL,
    input json NOT NULL,
    state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'waiting_approval', 'waiting_reauth',
      'completed', 'failed', 'cancelled')),
    agent json,
    plan json,
    history json,
    iteration integer NOT NULL DEFAULT 0,
    output json,
    error json,
    fence bigint NOT NULL DEFAULT 0,
    claims_without_progress integer NOT NULL DEFAULT 0,
    runner_id uuid,
    lease_until timestamptz,
    next_sweep_at timestamptz NOT NULL DEFAULT now(),
    cancel_requested_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    ended_at timestamptz
  );
  CREATE INDEX runs_by_org ON runs.runs (org_id, id DESC);
  CREATE INDEX runs_open ON runs.runs (next_sweep_at) WHERE state IN ('queued', 'running');
  CREATE TABLE runs.messages (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    conversation_id uuid NOT NULL REFERENCES runs.conversations,
    run_id uuid NOT NULL REFERENCES runs.runs,
    message json NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE INDEX messages_of_conversation ON runs.messages (conversation_id, id)`;

/* One row per answer of the model, or per failure of it that the run went on with. */
const steps = `
  CREATE TABLE runs.run_steps (
    run_id uuid NOT NULL REFERENCES runs.runs,
    position integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('turn', 'synthesis')),
    request_id uuid NOT NULL,
    answer json,
    error json,
    input_tokens bigint,
    output_tokens bigint,
    total_tokens bigint,
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, position)
  )`;

/* `outcome` is what the ledger says, `output` what the model reads of it: its frame is made once. */
const calls = `
  CREATE TABLE runs.run_calls (
    run_id uuid NOT NULL REFERENCES runs.runs,
    step integer NOT NULL,
    position integer NOT NULL,
    call_id uuid NOT NULL UNIQUE,
    attempt integer NOT NULL DEFAULT 0,
    request_id uuid NOT NULL,
    asked json NOT NULL,
    outward_name text,
    state text NOT NULL CHECK (state IN ('ready', 'waiting_approval', 'waiting_reauth', 'ended')),
    outcome json,
    output json,
    decided_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    PRIMARY KEY (run_id, step, position),
    FOREIGN KEY (run_id, step) REFERENCES runs.run_steps (run_id, position)
  )`;

const views = `
  CREATE VIEW runs.v_runs AS SELECT id, org_id, agent_id, conversation_id, caller, state, iteration, output, error,
    created_at, started_at, ended_at FROM runs.runs;
  CREATE VIEW runs.v_run_steps AS SELECT s.run_id, r.org_id, s.position, s.kind, s.request_id, s.answer, s.error,
    s.input_tokens, s.output_tokens, s.total_tokens, s.started_at, s.ended_at
    FROM runs.run_steps s JOIN runs.runs r ON r.id = s.run_id;
  CREATE VIEW runs.v_run_calls AS SELECT c.run_id, r.org_id, c.step, c.position, c.call_id, c.attempt, c.request_id,
    c.outward_name, c.state, c.decided_at, c.created_at, c.ended_at
    FROM runs.run_calls c JOIN runs.runs r ON r.id = c.run_id`;
