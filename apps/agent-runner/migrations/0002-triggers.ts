import { grant } from '@switchyard/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What begins runs besides a chat, calls that wait in the ledger for a person, and the tokens of users who chat. */
export class Triggers1796000000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [runs, calls, schedules, deliveries, views]) await runner.query(statement);
    for (const table of ['schedules', 'schedule_times', 'webhook_deliveries'])
      await grant(runner, {
        on: `runs.${table}`,
        to: ['agent-runner'],
        privilege: 'SELECT, INSERT, UPDATE, DELETE',
      });
    // Their own migrations ran where this role did not exist yet.
    for (const view of read) await grant(runner, { on: view, to: ['agent-runner'], privilege: 'SELECT' });
  }

  async down(runner: QueryRunner): Promise<void> {
    // A view loses columns only when it is made anew, and nobody goes back over this border with data of value.
    await runner.query('DROP VIEW runs.v_run_calls, runs.v_runs');
    await runner.query('DROP TABLE runs.webhook_deliveries, runs.schedule_times, runs.schedules');
    await runner.query(`ALTER TABLE runs.runs DROP COLUMN subject_token, DROP COLUMN trigger_id,
      DROP COLUMN scheduled_for, DROP COLUMN is_held`);
  }
}

const read = [
  ...['catalog.v_version', 'catalog.v_integration_states', 'catalog.v_tools', 'catalog.v_features'],
  ...['broker.v_version', 'broker.v_credential_states', 'broker.v_public_keys'],
];

/*
 * `subject_token` is the chat user's token, sealed to the broker; it is forgotten when the run ends. `trigger_id` is the
 * schedule's or the webhook's. A run that `is_held` waits until the schedule's run before it has ended.
 */
const runs = `
  ALTER TABLE runs.runs ADD COLUMN subject_token text, ADD COLUMN trigger_id uuid, ADD COLUMN scheduled_for timestamptz,
    ADD COLUMN is_held boolean NOT NULL DEFAULT false;
  CREATE INDEX runs_open_of_trigger ON runs.runs (trigger_id, id) WHERE trigger_id IS NOT NULL AND ended_at IS NULL;
  CREATE INDEX runs_held ON runs.runs (trigger_id, id) WHERE is_held AND ended_at IS NULL;
  CREATE INDEX runs_of_trigger ON runs.runs (trigger_id, id DESC) WHERE trigger_id IS NOT NULL;
  CREATE INDEX runs_of_agent ON runs.runs (org_id, agent_id, id DESC);
  CREATE INDEX runs_of_user ON runs.runs (org_id, (caller ->> 'userId'), id DESC);
  CREATE INDEX runs_of_conversation ON runs.runs (conversation_id, id DESC) WHERE conversation_id IS NOT NULL;
  CREATE INDEX runs_parked ON runs.runs (id) WHERE state IN ('waiting_approval', 'waiting_reauth');
  CREATE FUNCTION runs.forget_at_end() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    NEW.subject_token := NULL;
    RETURN NEW;
  END $$;
  CREATE TRIGGER runs_forget BEFORE UPDATE ON runs.runs FOR EACH ROW
    WHEN (NEW.ended_at IS NOT NULL AND NEW.subject_token IS NOT NULL) EXECUTE FUNCTION runs.forget_at_end()`;

/* `approval_wanted`: the model asked for it, and the ledger does not have it yet. */
const calls = `
  ALTER TABLE runs.run_calls DROP CONSTRAINT run_calls_state_check, ADD CONSTRAINT run_calls_state_check
    CHECK (state IN ('ready', 'approval_wanted', 'waiting_approval', 'waiting_reauth', 'ended'));
  ALTER TABLE runs.run_calls ADD COLUMN integration_id uuid, ADD COLUMN waiting_since timestamptz;
  CREATE INDEX run_calls_waiting ON runs.run_calls (state, run_id)
    WHERE state IN ('waiting_approval', 'waiting_reauth');
  CREATE INDEX run_calls_by_request ON runs.run_calls (request_id);
  CREATE INDEX run_steps_by_request ON runs.run_steps (request_id)`;

/* Whoever looks after a schedule holds its row: each of its times is dealt with once, and leaves a row. */
const schedules = `
  CREATE TABLE runs.schedules (
    schedule_id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    handled_until timestamptz NOT NULL
  );
  CREATE TABLE runs.schedule_times (
    schedule_id uuid NOT NULL,
    due_at timestamptz NOT NULL,
    org_id uuid NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('started', 'held', 'skipped')),
    why text,
    run_id uuid REFERENCES runs.runs,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (schedule_id, due_at)
  )`;

const deliveries = `
  CREATE TABLE runs.webhook_deliveries (
    webhook_id uuid NOT NULL,
    replay_key text NOT NULL,
    org_id uuid NOT NULL,
    run_id uuid NOT NULL REFERENCES runs.runs,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (webhook_id, replay_key)
  );
  CREATE INDEX webhook_deliveries_by_age ON runs.webhook_deliveries (received_at)`;

/* CREATE OR REPLACE takes new columns at the end alone. */
const views = `
  CREATE OR REPLACE VIEW runs.v_runs AS SELECT id, org_id, agent_id, conversation_id, caller, state, iteration, output,
    error, created_at, started_at, ended_at, trigger_id, scheduled_for FROM runs.runs;
  CREATE OR REPLACE VIEW runs.v_run_calls AS SELECT c.run_id, r.org_id, c.step, c.position, c.call_id, c.attempt,
    c.request_id, c.outward_name, c.state, c.decided_at, c.created_at, c.ended_at, c.integration_id
    FROM runs.run_calls c JOIN runs.runs r ON r.id = c.run_id`;
