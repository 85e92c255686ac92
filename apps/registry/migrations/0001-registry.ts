import { DEFAULT_ORGANIZATION_ID } from '@switchyard/contracts';
import { grant } from '@switchyard/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Organizations, integrations and keys, and the views by which the other services know of them. */
export class Registry1764000000101 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [organizations, adminKeys, integrations, virtualKeys, version, views]) {
      await runner.query(statement);
    }
    for (const table of tables) await runner.query(bumpBy(table));
    await runner.query(
      `INSERT INTO registry.organizations (id, slug, name) VALUES ($1, 'default', 'Default')`,
      [DEFAULT_ORGANIZATION_ID],
    );
    await grantAll(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `DROP VIEW registry.v_virtual_keys, registry.v_integrations, registry.v_organizations, registry.v_version`,
    );
    await runner.query(
      `DROP TABLE registry.version, ${tables
        .map((table) => `registry.${table}`)
        .reverse()
        .join(', ')}`,
    );
    await runner.query(`DROP FUNCTION registry.bump_version`);
  }
}

const tables = ['organizations', 'admin_keys', 'integrations', 'virtual_keys'];

async function grantAll(runner: QueryRunner): Promise<void> {
  for (const table of [...tables, 'version']) {
    await grant(runner, {
      on: `registry.${table}`,
      to: ['registry'],
      privilege: 'SELECT, INSERT, UPDATE, DELETE',
    });
  }
  const readers = ['registry', 'catalog-sync', 'dispatch', 'gateway'];
  for (const view of ['v_version', 'v_organizations', 'v_integrations']) {
    await grant(runner, { on: `registry.${view}`, to: [...readers, 'token-broker'], privilege: 'SELECT' });
  }
  await grant(runner, { on: 'registry.v_virtual_keys', to: readers, privilege: 'SELECT' });
}

const slugRule = `slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 48`;

const organizations = `
  CREATE TABLE registry.organizations (
    id uuid PRIMARY KEY,
    slug text NOT NULL UNIQUE CHECK (${slugRule}),
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
  )`;

const adminKeys = `
  CREATE TABLE registry.admin_keys (
    organization_id uuid PRIMARY KEY REFERENCES registry.organizations (id),
    key_hash text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
  )`;

/* A user's own integration may have the slug of the organization's: whose wins is settled when tools are resolved. */
const integrations = `
  CREATE TABLE registry.integrations (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES registry.organizations (id),
    slug text NOT NULL CHECK (${slugRule}),
    name text NOT NULL,
    kind varchar(50) NOT NULL DEFAULT 'external_mcp',
    scope text NOT NULL CHECK (scope IN ('global', 'organization', 'user')),
    owner_user_id uuid CHECK ((scope = 'user') = (owner_user_id IS NOT NULL)),
    transport jsonb NOT NULL,
    auth_mode text NOT NULL
      CHECK (auth_mode IN ('none', 'headers', 'client_credentials', 'authorization_code', 'token_exchange')),
    service_user_id uuid CHECK (service_user_id IS NULL OR auth_mode = 'authorization_code'),
    header_names text[] NOT NULL,
    env_names text[] NOT NULL,
    available_in_chat boolean NOT NULL,
    available_to_autonomous boolean NOT NULL,
    tools_to_execute text[],
    tools_to_skip text[],
    tool_overrides jsonb NOT NULL,
    deadline_ms integer,
    max_concurrency integer,
    rate_limit jsonb,
    sync_interval_seconds integer NOT NULL,
    auto_reconnect boolean NOT NULL,
    enabled boolean NOT NULL,
    retention text NOT NULL CHECK (retention IN ('always', 'ledger_first', 'never')),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE UNIQUE INDEX integrations_slug ON registry.integrations (organization_id, slug) WHERE owner_user_id IS NULL;
  CREATE UNIQUE INDEX integrations_user_slug ON registry.integrations (organization_id, owner_user_id, slug)
    WHERE owner_user_id IS NOT NULL`;

const virtualKeys = `
  CREATE TABLE registry.virtual_keys (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES registry.organizations (id),
    name text NOT NULL,
    key_hash text NOT NULL UNIQUE,
    mcp_configs jsonb NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE INDEX virtual_keys_by_organization ON registry.virtual_keys (organization_id, id)`;

/* Writers of the registry wait for each other at this row, so versions become visible in the order of their numbers. */
const version = `
  CREATE TABLE registry.version (version bigint NOT NULL);
  INSERT INTO registry.version VALUES (1);
  CREATE FUNCTION registry.bump_version() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    UPDATE registry.version SET version = version + 1;
    RETURN NULL;
  END $$`;

function bumpBy(table: string): string {
  return `CREATE TRIGGER ${table}_bump AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON registry.${table}
    FOR EACH STATEMENT EXECUTE FUNCTION registry.bump_version()`;
}

const views = `
  CREATE VIEW registry.v_version AS SELECT version FROM registry.version;
  CREATE VIEW registry.v_organizations AS SELECT id, slug, name FROM registry.organizations;
  CREATE VIEW registry.v_integrations AS SELECT id, organization_id, slug, name, kind, scope, owner_user_id, transport,
    auth_mode, service_user_id, header_names, env_names, available_in_chat, available_to_autonomous, tools_to_execute,
    tools_to_skip, tool_overrides, deadline_ms, max_concurrency, rate_limit, sync_interval_seconds, auto_reconnect,
    enabled, retention, version, updated_at FROM registry.integrations;
  CREATE VIEW registry.v_virtual_keys AS SELECT id, organization_id, name, key_hash, mcp_configs, expires_at, revoked_at
    FROM registry.virtual_keys`;
