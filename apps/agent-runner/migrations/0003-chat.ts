import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A conversation has one run at a time. */
export class Chat1796000000003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE UNIQUE INDEX runs_one_open ON runs.runs (conversation_id)
      WHERE conversation_id IS NOT NULL AND ended_at IS NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX runs.runs_one_open');
  }
}
