import { grant } from '@switchyard/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Runs and conversations end some day, a request to a chat is known again, and admins see what became of a schedule's times. */
export class KeptRuns1796000000005 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [runs, triggers]) await runner.query(statement);
    await grant(runner, { on: 'runs.v_schedule_times', to: ['registry'], privilege: 'SELECT' });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP VIEW runs.v_schedule_times');
    await runner.query(
      'DROP INDEX runs.schedule_times_by_age, runs.messages_of_run, runs.runs_ended, runs.runs_open_of_user',
    );
    await runner.query('ALTER TABLE runs.runs DROP COLUMN idempotency_key, DROP COLUMN idempotency_digest');
  }
}

/* The key is a digest of whatever makes two requests of one user one. */
const runs = `
  ALTER TABLE runs.runs ADD COLUMN idempotency_key text, ADD COLUMN idempotency_digest text;
  CREATE UNIQUE INDEX runs_idempotency ON runs.runs (org_id, (caller ->> 'userId'), idempotency_key)
    WHERE idempotency_key IS NOT NULL;
  CREATE INDEX runs_open_of_user ON runs.runs (org_id, (caller ->> 'userId')) WHERE ended_at IS NULL;
  CREATE INDEX runs_ended ON runs.runs (ended_at) WHERE ended_at IS NOT NULL;
  CREATE INDEX messages_of_run ON runs.messages (run_id)`;

/* What a delivery or a time began is remembered longer than the run, perhaps: it is known again by these rows alone. */
const triggers = `
  ALTER TABLE runs.schedule_times DROP CONSTRAINT schedule_times_run_id_fkey;
  ALTER TABLE runs.webhook_deliveries DROP CONSTRAINT webhook_deliveries_run_id_fkey;
  CREATE INDEX schedule_times_by_age ON runs.schedule_times (created_at);
  CREATE VIEW runs.v_schedule_times AS SELECT schedule_id, org_id, due_at, outcome, why, run_id, created_at
    FROM runs.schedule_times`;
