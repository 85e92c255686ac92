import { grant } from '@switchyard/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Identity providers, users and what users may use; user-owned keys; what an integration needs to know of OAuth. */
export class People1764000000102 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [identityProviders, users, policies, virtualKeys, integrations, views])
      await runner.query(statement);
    for (const table of tables) await runner.query(bumpBy(table));
    await runner.query(usersBump);
    await grantAll(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    // A view loses columns only when it is made anew, and nobody goes back over this border with data of value.
    await runner.query(`DROP VIEW registry.v_identity_providers, registry.v_users, registry.v_inactive_users,
      registry.v_policies, registry.v_admin_keys`);
    await runner.query(`DROP VIEW registry.v_integrations, registry.v_virtual_keys`);
    await runner.query(`ALTER TABLE registry.integrations DROP COLUMN oauth,
      DROP COLUMN has_client_secret, DROP COLUMN user_header_names, DROP COLUMN service_user_set_by, DROP COLUMN service_user_set_at`);
    await runner.query(`ALTER TABLE registry.virtual_keys DROP COLUMN user_id`);
    await runner.query(`DROP TABLE registry.policies, registry.users, registry.identity_providers`);
  }
}

const tables = ['identity_providers', 'policies'];

async function grantAll(runner: QueryRunner): Promise<void> {
  for (const table of [...tables, 'users'])
    await grant(runner, {
      on: `registry.${table}`,
      to: ['registry'],
      privilege: 'SELECT, INSERT, UPDATE, DELETE',
    });
  const readers = ['registry', 'catalog-sync', 'dispatch', 'gateway', 'token-broker'];
  for (const view of ['v_identity_providers', 'v_users', 'v_inactive_users', 'v_policies'])
    await grant(runner, { on: `registry.${view}`, to: readers, privilege: 'SELECT' });
  await grant(runner, {
    on: 'registry.v_admin_keys',
    to: ['registry', 'token-broker'],
    privilege: 'SELECT',
  });
}

/* Issuer and audience together belong to one organization: a token says which, and no other organization can claim it. */
const identityProviders = `
  CREATE TABLE registry.identity_providers (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES registry.organizations (id),
    name text NOT NULL,
    issuer text NOT NULL,
    audience text NOT NULL,
    client_id text NOT NULL,
    jwks_uri text,
    scopes text[] NOT NULL,
    roles_claim text NOT NULL,
    admin_roles text[] NOT NULL,
    auditor_roles text[] NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (issuer, audience)
  );
  CREATE INDEX identity_providers_by_organization ON registry.identity_providers (organization_id, id)`;

/* Issuer and subject together are the person (OpenID Connect Core, section 5.7); names and addresses change. */
const users = `
  CREATE TABLE registry.users (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES registry.organizations (id),
    issuer text NOT NULL,
    subject text NOT NULL,
    username text,
    email text,
    display_name text,
    roles text[] NOT NULL,
    active boolean NOT NULL DEFAULT true,
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organization_id, issuer, subject)
  );
  CREATE INDEX users_by_organization ON registry.users (organization_id, id)`;

/* Null roles: every signed-in user of the organization. */
const policies = `
  CREATE TABLE registry.policies (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES registry.organizations (id),
    name text NOT NULL,
    roles text[],
    mcp_configs jsonb NOT NULL,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE INDEX policies_by_organization ON registry.policies (organization_id, id)`;

const virtualKeys = `ALTER TABLE registry.virtual_keys ADD COLUMN user_id uuid REFERENCES registry.users (id)`;

const integrations = `
  ALTER TABLE registry.integrations ADD COLUMN oauth jsonb,
    ADD COLUMN has_client_secret boolean NOT NULL DEFAULT false,
    ADD COLUMN user_header_names text[] NOT NULL DEFAULT '{}',
    ADD COLUMN service_user_set_by text,
    ADD COLUMN service_user_set_at timestamptz`;

function bumpBy(table: string): string {
  return `CREATE TRIGGER ${table}_bump AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON registry.${table}
    FOR EACH STATEMENT EXECUTE FUNCTION registry.bump_version()`;
}

/* A user who was merely seen again changes nothing that a snapshot holds. */
const usersBump = `
  CREATE TRIGGER users_bump AFTER UPDATE OF active ON registry.users
    FOR EACH STATEMENT EXECUTE FUNCTION registry.bump_version();
  CREATE TRIGGER users_gone_bump AFTER DELETE OR TRUNCATE ON registry.users
    FOR EACH STATEMENT EXECUTE FUNCTION registry.bump_version()`;

const views = `
  CREATE VIEW registry.v_identity_providers AS SELECT id, organization_id, name, issuer, audience, client_id, jwks_uri,
    scopes, roles_claim, admin_roles, auditor_roles, enabled FROM registry.identity_providers;
  CREATE VIEW registry.v_users AS SELECT id, organization_id, issuer, subject, username, email, display_name, roles, active
    FROM registry.users;
  CREATE VIEW registry.v_inactive_users AS SELECT id FROM registry.users WHERE NOT active;
  CREATE VIEW registry.v_policies AS SELECT id, organization_id, roles, mcp_configs FROM registry.policies WHERE is_active;
  CREATE VIEW registry.v_admin_keys AS SELECT organization_id, key_hash FROM registry.admin_keys;
  CREATE OR REPLACE VIEW registry.v_virtual_keys AS SELECT id, organization_id, name, key_hash, mcp_configs, expires_at,
    revoked_at, user_id FROM registry.virtual_keys;
  CREATE OR REPLACE VIEW registry.v_integrations AS SELECT i.id, i.organization_id, i.slug, i.name, i.kind, i.scope,
    i.owner_user_id, i.transport, i.auth_mode, i.service_user_id, i.header_names, i.env_names, i.available_in_chat,
    i.available_to_autonomous, i.tools_to_execute, i.tools_to_skip, i.tool_overrides, i.deadline_ms, i.max_concurrency,
    i.rate_limit, i.sync_interval_seconds, i.auto_reconnect, i.enabled, i.retention, i.version, i.updated_at, i.oauth,
    i.user_header_names, EXISTS (SELECT 1 FROM registry.users u WHERE u.id = i.service_user_id AND u.active
      AND u.organization_id = i.organization_id) AS service_user_active
    FROM registry.integrations i`;
