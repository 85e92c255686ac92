import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Whether the local tools are off because the operator took their setting away, and not because an admin wants it so. */
export class LocalTools1764000000105 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `ALTER TABLE registry.integrations ADD COLUMN off_by_setting boolean NOT NULL DEFAULT false`,
    );
    await runner.query(
      `CREATE UNIQUE INDEX integrations_local ON registry.integrations (organization_id) WHERE kind = 'local'`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX registry.integrations_local`);
    await runner.query(`ALTER TABLE registry.integrations DROP COLUMN off_by_setting`);
  }
}
