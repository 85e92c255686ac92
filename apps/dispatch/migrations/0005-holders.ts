import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * `holder` names the taking of a job that a running call belongs to. `worker_id` does not: one worker may take the job of a
 * call a second time, while it still has the first in hand. Null for a worker of a version before.
 */
export class Holders1795000000005 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE dispatch.tool_calls ADD COLUMN holder uuid');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE dispatch.tool_calls DROP COLUMN holder');
  }
}
