import { grant } from '@switchyard/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Dispatch sees which runs are to end: it approves of no call of theirs. */
export class CancelledRuns1796000000004 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // CREATE OR REPLACE takes new columns at the end alone.
    await runner.query(
      `CREATE OR REPLACE VIEW runs.v_runs AS SELECT ${columns}, cancel_requested_at FROM runs.runs`,
    );
    await grant(runner, { on: 'runs.v_runs', to: ['dispatch'], privilege: 'SELECT' });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP VIEW runs.v_runs');
    await runner.query(`CREATE VIEW runs.v_runs AS SELECT ${columns} FROM runs.runs`);
    await grant(runner, {
      on: 'runs.v_runs',
      to: ['agent-runner', 'gateway', 'registry'],
      privilege: 'SELECT',
    });
  }
}

const columns = `id, org_id, agent_id, conversation_id, caller, state, iteration, output, error, created_at, started_at,
  ended_at, trigger_id, scheduled_for`;
