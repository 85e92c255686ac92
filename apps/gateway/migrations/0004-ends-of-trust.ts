import type { MigrationInterface, QueryRunner } from 'typeorm';

/** By whose word a user signed in, and since when a key signs no longer: with the one grants end, with the other tokens. */
export class EndsOfTrust1764000000504 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE gateway.oauth_grants ADD COLUMN issuer text`);
    await runner.query(`UPDATE gateway.oauth_grants g SET issuer = p.issuer FROM registry.v_identity_providers p
      WHERE p.id = g.identity_provider_id`);
    await runner.query(`ALTER TABLE gateway.oauth_keys ADD COLUMN retired_at timestamptz`);
    await runner.query(`UPDATE gateway.oauth_keys SET retired_at = now() WHERE NOT is_active`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE gateway.oauth_keys DROP COLUMN retired_at`);
    await runner.query(`ALTER TABLE gateway.oauth_grants DROP COLUMN issuer`);
  }
}
