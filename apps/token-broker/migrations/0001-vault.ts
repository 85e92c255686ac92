import { grant } from '@switchyard/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Everything in `vault` is ciphertext or names; only the broker's role may look at it. Others read `broker.v_…`. */
export class Vault1764000000201 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`REVOKE ALL ON SCHEMA vault FROM PUBLIC`);
    await createDataKeys(runner);
    await createSecrets(runner);
    await createBrokerKeys(runner);
    for (const table of ['data_keys', 'secrets', 'broker_keys']) {
      await grant(runner, {
        on: `vault.${table}`,
        to: ['token-broker'],
        privilege: 'SELECT, INSERT, UPDATE, DELETE',
      });
    }
    await grant(runner, {
      on: 'broker.v_public_keys',
      to: ['registry', 'token-broker'],
      privilege: 'SELECT',
    });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP VIEW broker.v_public_keys`);
    for (const table of ['broker_keys', 'secrets', 'data_keys'])
      await runner.query(`DROP TABLE vault.${table}`);
  }
}

async function createDataKeys(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE vault.data_keys (
      id uuid PRIMARY KEY,
      master_key_id text NOT NULL,
      wrapped bytea NOT NULL,
      is_active boolean NOT NULL DEFAULT true,
      created_at timestamptz NOT NULL DEFAULT now()
    )`);
  await runner.query(
    `CREATE UNIQUE INDEX data_keys_one_active ON vault.data_keys (is_active) WHERE is_active`,
  );
}

async function createSecrets(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE vault.secrets (
      organization_id uuid NOT NULL,
      integration_id uuid NOT NULL,
      kind text NOT NULL CHECK (kind IN ('headers', 'env')),
      name text NOT NULL,
      data_key_id uuid NOT NULL REFERENCES vault.data_keys (id),
      ciphertext bytea NOT NULL,
      stored_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (integration_id, kind, name)
    )`);
}

async function createBrokerKeys(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE vault.broker_keys (
      kid text PRIMARY KEY,
      public_jwk jsonb NOT NULL,
      data_key_id uuid NOT NULL REFERENCES vault.data_keys (id),
      private_jwk_ciphertext bytea NOT NULL,
      is_active boolean NOT NULL DEFAULT true,
      created_at timestamptz NOT NULL DEFAULT now()
    )`);
  await runner.query(
    `CREATE UNIQUE INDEX broker_keys_one_active ON vault.broker_keys (is_active) WHERE is_active`,
  );
  await runner.query(`
    CREATE VIEW broker.v_public_keys AS
      SELECT kid, public_jwk AS jwk, is_active AS active, created_at FROM vault.broker_keys`);
}
