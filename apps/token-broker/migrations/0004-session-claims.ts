import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the identity provider said of a person at sign-in, for the policies of clients that call in their name. */
export class SessionClaims1764000000204 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE vault.sessions ADD COLUMN claims jsonb NOT NULL DEFAULT '{}'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE vault.sessions DROP COLUMN claims`);
  }
}
