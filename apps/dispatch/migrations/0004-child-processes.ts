import { grant } from '@switchyard/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The process of each stdio integration, as its owner last wrote it down. */
export class ChildProcesses1795000000004 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'ALTER TABLE dispatch.stdio_owners ADD COLUMN pid integer, ADD COLUMN started_at timestamptz',
    );
    await runner.query(view);
    await grant(runner, { on: 'dispatch.v_stdio_processes', to: ['registry'], privilege: 'SELECT' });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP VIEW dispatch.v_stdio_processes');
    await runner.query('ALTER TABLE dispatch.stdio_owners DROP COLUMN pid, DROP COLUMN started_at');
  }
}

/* What a worker wrote that does not renew its lease any more may be of a process that is gone. */
const view = `
  CREATE VIEW dispatch.v_stdio_processes AS SELECT integration_id, worker_id, pid, started_at
  FROM dispatch.stdio_owners WHERE lease_until > clock_timestamp()`;
