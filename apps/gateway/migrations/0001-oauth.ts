import { grant } from '@switchyard/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The authorization server toward MCP clients: its clients, what users granted them, what it has issued, its keys. */
export class OAuth1764000000501 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [clients, grants, payloads, keys]) await runner.query(statement);
    for (const table of tables)
      await grant(runner, {
        on: `gateway.${table}`,
        to: ['gateway'],
        privilege: 'SELECT, INSERT, UPDATE, DELETE',
      });
    // Who may see and revoke the grants of an organization.
    await grant(runner, { on: 'registry.v_admin_keys', to: ['gateway'], privilege: 'SELECT' });
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of tables.toReversed()) await runner.query(`DROP TABLE gateway.${table}`);
  }
}

const tables = ['oauth_clients', 'oauth_grants', 'oauth_payloads', 'oauth_keys'];

/* Registered dynamically (RFC 7591). address_hash: of the network that registered it, to limit how many. */
const clients = `
  CREATE TABLE gateway.oauth_clients (
    client_id text PRIMARY KEY,
    ciphertext bytea NOT NULL,
    address_hash bytea,
    created_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE INDEX oauth_clients_by_time ON gateway.oauth_clients (created_at);
  CREATE INDEX oauth_clients_by_address ON gateway.oauth_clients (address_hash, created_at)`;

/*
 * What a user allowed a client. interaction_hash: the consent from which it comes, which gives one grant and no second.
 * integration_ids: what the user shares; null: all that they may use. A revoked grant stays, so that replicas find it.
 */
const grants = `
  CREATE TABLE gateway.oauth_grants (
    id uuid PRIMARY KEY,
    interaction_hash bytea NOT NULL UNIQUE,
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    identity_provider_id uuid NOT NULL,
    client_id text NOT NULL,
    client_name text,
    client_host text,
    redirect_uri text NOT NULL,
    resource text NOT NULL,
    integration_ids uuid[],
    claims_ciphertext bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_at timestamptz,
    revoked_reason text
  );
  CREATE INDEX oauth_grants_by_owner ON gateway.oauth_grants (organization_id, user_id, id);
  CREATE INDEX oauth_grants_by_client ON gateway.oauth_grants (client_id);
  CREATE INDEX oauth_grants_revoked ON gateway.oauth_grants (revoked_at) WHERE revoked_at IS NOT NULL`;

/* Codes, refresh tokens, interactions and sessions: found by the SHA-256 of their value, content encrypted. */
const payloads = `
  CREATE TABLE gateway.oauth_payloads (
    model text NOT NULL,
    id_hash bytea NOT NULL,
    ciphertext bytea NOT NULL,
    grant_id uuid,
    uid_hash bytea,
    consumed_at timestamptz,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (model, id_hash)
  );
  CREATE INDEX oauth_payloads_by_grant ON gateway.oauth_payloads (grant_id) WHERE grant_id IS NOT NULL;
  CREATE INDEX oauth_payloads_by_uid ON gateway.oauth_payloads (uid_hash) WHERE uid_hash IS NOT NULL;
  CREATE INDEX oauth_payloads_by_expiry ON gateway.oauth_payloads (expires_at)`;

/* Of all keys the active one signs; others verify until they are deleted. */
const keys = `
  CREATE TABLE gateway.oauth_keys (
    kid text PRIMARY KEY,
    public_jwk jsonb NOT NULL,
    private_jwk_ciphertext bytea NOT NULL,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE UNIQUE INDEX oauth_keys_one_active ON gateway.oauth_keys (is_active) WHERE is_active`;
