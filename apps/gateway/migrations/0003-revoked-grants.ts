import { grant } from '@switchyard/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which grants were revoked: for dispatch, in whose queues calls of their clients may still wait. */
export class RevokedGrants1764000000503 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'CREATE VIEW gateway.v_revoked_grants AS SELECT id, revoked_at FROM gateway.oauth_grants WHERE revoked_at IS NOT NULL',
    );
    await grant(runner, { on: 'gateway.v_revoked_grants', to: ['dispatch'], privilege: 'SELECT' });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP VIEW gateway.v_revoked_grants');
  }
}
