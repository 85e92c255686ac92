import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Keys of agents' models and secrets of webhooks are in the vault too. */
export class SecretsOfAgents1764000000205 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE vault.secrets DROP CONSTRAINT secrets_kind_check, ADD CONSTRAINT secrets_kind_check
      CHECK (kind IN ('headers', 'env', 'oauth_client', 'model_key', 'webhook'))`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DELETE FROM vault.secrets WHERE kind IN ('model_key', 'webhook')`);
    await runner.query(`ALTER TABLE vault.secrets DROP CONSTRAINT secrets_kind_check, ADD CONSTRAINT secrets_kind_check
      CHECK (kind IN ('headers', 'env', 'oauth_client'))`);
  }
}
