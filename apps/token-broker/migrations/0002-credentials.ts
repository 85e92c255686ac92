import { grant } from '@switchyard/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** OAuth clients, credentials of users and integrations, consents and browser sessions; what others may see of them. */
export class Credentials1764000000202 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [oauthClients, credentials, consents, sessions, keys, version, views])
      await runner.query(statement);
    await runner.query(`ALTER TABLE vault.secrets DROP CONSTRAINT secrets_kind_check, ADD CONSTRAINT secrets_kind_check
      CHECK (kind IN ('headers', 'env', 'oauth_client'))`);
    for (const table of tables)
      await grant(runner, {
        on: `vault.${table}`,
        to: ['token-broker'],
        privilege: 'SELECT, INSERT, UPDATE, DELETE',
      });
    await grant(runner, {
      on: 'broker.version',
      to: ['token-broker'],
      privilege: 'SELECT, UPDATE',
    });
    for (const view of ['v_version', 'v_credential_states'])
      await grant(runner, { on: `broker.${view}`, to: readers, privilege: 'SELECT' });
    // A face seals users' own tokens to the broker.
    await grant(runner, { on: 'broker.v_public_keys', to: ['gateway'], privilege: 'SELECT' });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP VIEW broker.v_credential_states, broker.v_version`);
    for (const table of tables.toReversed()) await runner.query(`DROP TABLE vault.${table}`);
    await runner.query(`DROP FUNCTION broker.bump_version`);
    await runner.query(`DROP TABLE broker.version`);
    await runner.query(`DELETE FROM vault.secrets WHERE kind = 'oauth_client'`);
    await runner.query(`ALTER TABLE vault.secrets DROP CONSTRAINT secrets_kind_check, ADD CONSTRAINT secrets_kind_check
      CHECK (kind IN ('headers', 'env'))`);
  }
}

const tables = ['oauth_clients', 'user_external_mcp_credentials', 'consents', 'sessions', 'keys'];
const readers = ['registry', 'catalog-sync', 'dispatch', 'gateway', 'token-broker'];

/*
 * A client belongs to one issuer and is never shown to another (CVE-2026-104850). `configured`: the one issuer that an
 * admin's client was first used at, as long as its id and the server's URL are the same; its secret is not here.
 */
const oauthClients = `
  CREATE TABLE vault.oauth_clients (
    integration_id uuid NOT NULL,
    issuer text NOT NULL,
    organization_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('metadata_document', 'dynamic', 'configured')),
    client_id text NOT NULL,
    token_endpoint_auth_method text NOT NULL,
    data_key_id uuid REFERENCES vault.data_keys (id),
    secret_ciphertext bytea,
    redirect_uri text NOT NULL,
    registered_at timestamptz NOT NULL DEFAULT now(),
    secret_expires_at timestamptz,
    server_url text,
    PRIMARY KEY (integration_id, kind, issuer)
  );
  CREATE UNIQUE INDEX oauth_clients_first_issuer ON vault.oauth_clients (integration_id) WHERE kind = 'configured'`;

/*
 * user_id null: the integration's own token (client_credentials). The row is locked while it is refreshed, and its version
 * tells who comes later that somebody else has refreshed it meanwhile. server_url is where the tokens may be sent: an
 * integration that moves elsewhere takes no credential along, nor one whose admin names another token endpoint. state_before is what an orphaned row goes back to.
 */
const credentials = `
  CREATE TABLE vault.user_external_mcp_credentials (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    integration_id uuid NOT NULL,
    user_id uuid,
    kind text NOT NULL CHECK (kind IN ('oauth', 'headers')),
    issuer text,
    resource text,
    server_url text,
    token_endpoint text,
    client_id text,
    granted_scopes text[] NOT NULL DEFAULT '{}',
    needed_scopes text[] NOT NULL DEFAULT '{}',
    data_key_id uuid REFERENCES vault.data_keys (id),
    access_token_ciphertext bytea,
    refresh_token_ciphertext bytea,
    headers_ciphertext bytea,
    expires_at timestamptz,
    state text NOT NULL CHECK (state IN ('active', 'needs_reauth', 'needs_update', 'orphaned', 'pending')),
    state_reason text,
    state_before text,
    state_since timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1,
    failures integer NOT NULL DEFAULT 0,
    cool_down_until timestamptz,
    consent_granted_at timestamptz,
    consent_granted_by uuid,
    last_used_at timestamptz,
    last_refreshed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE NULLS NOT DISTINCT (integration_id, user_id)
  );
  CREATE INDEX user_external_mcp_credentials_by_owner
    ON vault.user_external_mcp_credentials (organization_id, user_id, id);
  CREATE INDEX user_external_mcp_credentials_by_expiry ON vault.user_external_mcp_credentials (expires_at)
    WHERE refresh_token_ciphertext IS NOT NULL AND state IN ('active', 'needs_update')`;

/* One row for each consent that was begun; the state that travels names it, and it is taken once. */
const consents = `
  CREATE TABLE vault.consents (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    integration_id uuid NOT NULL,
    user_id uuid NOT NULL,
    for_user_id uuid NOT NULL,
    session_id uuid NOT NULL,
    issuer text NOT NULL,
    facts jsonb NOT NULL,
    data_key_id uuid NOT NULL REFERENCES vault.data_keys (id),
    verifier_ciphertext bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    taken_at timestamptz
  );
  CREATE INDEX consents_by_expiry ON vault.consents (expires_at)`;

/* Keys of HMACs (audit chain, states, forms), each for one purpose. */
const keys = `
  CREATE TABLE vault.keys (
    purpose text PRIMARY KEY,
    data_key_id uuid NOT NULL REFERENCES vault.data_keys (id),
    ciphertext bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
  )`;

/* token_hash: SHA-256 of what the browser's cookie holds. */
const sessions = `
  CREATE TABLE vault.sessions (
    id uuid PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE,
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    facts jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
  );
  CREATE INDEX sessions_by_expiry ON vault.sessions (expires_at)`;

/* Counts what readers of the view care for: a refresh of a live credential is no news. */
const version = `
  CREATE TABLE broker.version (version bigint NOT NULL);
  INSERT INTO broker.version VALUES (1);
  CREATE FUNCTION broker.bump_version() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    UPDATE broker.version SET version = version + 1;
    RETURN NULL;
  END $$;
  CREATE TRIGGER credentials_bump AFTER INSERT OR DELETE ON vault.user_external_mcp_credentials
    FOR EACH STATEMENT EXECUTE FUNCTION broker.bump_version();
  CREATE TRIGGER credentials_state_bump AFTER UPDATE OF state, needed_scopes, granted_scopes
    ON vault.user_external_mcp_credentials FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
    EXECUTE FUNCTION broker.bump_version()`;

const views = `
  CREATE VIEW broker.v_version AS SELECT version FROM broker.version;
  CREATE VIEW broker.v_credential_states AS SELECT id, organization_id, integration_id, user_id, kind, state, state_reason,
    state_since FROM vault.user_external_mcp_credentials`;
