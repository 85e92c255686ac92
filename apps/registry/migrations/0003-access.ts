import { grant } from '@switchyard/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Policies that ask for claims and may deny, groups of tools, toolsets, limits of callers, pins. */
export class Access1764000000103 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [policies, toolGroups, toolsets, columns, views]) await runner.query(statement);
    for (const table of tables) {
      await runner.query(bumpBy(table));
      await grant(runner, {
        on: `registry.${table}`,
        to: ['registry'],
        privilege: 'SELECT, INSERT, UPDATE, DELETE',
      });
    }
    const readers = ['registry', 'catalog-sync', 'dispatch', 'gateway', 'token-broker'];
    for (const view of ['v_tool_groups', 'v_toolsets'])
      await grant(runner, { on: `registry.${view}`, to: readers, privilege: 'SELECT' });
  }

  async down(runner: QueryRunner): Promise<void> {
    // A view loses columns only when it is made anew, and nobody goes back over this border with data of value.
    await runner.query(`DROP VIEW registry.v_tool_groups, registry.v_toolsets, registry.v_policies,
      registry.v_virtual_keys, registry.v_organizations, registry.v_integrations`);
    await runner.query(`DROP TABLE registry.toolsets, registry.tool_groups`);
    await runner.query(`ALTER TABLE registry.policies DROP COLUMN matchers, DROP COLUMN effect, DROP COLUMN priority,
      DROP COLUMN group_ids`);
    await runner.query(`ALTER TABLE registry.virtual_keys DROP COLUMN rate_limit, DROP COLUMN tool_mode`);
    await runner.query(`ALTER TABLE registry.organizations DROP COLUMN user_rate_limit`);
    await runner.query(`ALTER TABLE registry.integrations DROP COLUMN pinned`);
  }
}

const tables = ['tool_groups', 'toolsets'];

const policies = `
  ALTER TABLE registry.policies ADD COLUMN matchers jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN effect text NOT NULL DEFAULT 'allow' CHECK (effect IN ('allow', 'deny')),
    ADD COLUMN priority integer NOT NULL DEFAULT 0,
    ADD COLUMN group_ids uuid[] NOT NULL DEFAULT '{}'`;

const toolGroups = `
  CREATE TABLE registry.tool_groups (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES registry.organizations (id),
    name text NOT NULL,
    selectors jsonb NOT NULL,
    include text[] NOT NULL,
    exclude text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE INDEX tool_groups_by_organization ON registry.tool_groups (organization_id, id)`;

const toolsets = `
  CREATE TABLE registry.toolsets (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES registry.organizations (id),
    slug text NOT NULL CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 48),
    name text NOT NULL,
    description text,
    is_active boolean NOT NULL DEFAULT true,
    prefix boolean NOT NULL DEFAULT true,
    tool_mode text NOT NULL DEFAULT 'all' CHECK (tool_mode IN ('all', 'search')),
    mcp_configs jsonb NOT NULL,
    virtual_key_ids uuid[] NOT NULL,
    user_ids uuid[] NOT NULL,
    roles text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organization_id, slug)
  );
  CREATE INDEX toolsets_by_organization ON registry.toolsets (organization_id, id)`;

const columns = `
  ALTER TABLE registry.virtual_keys ADD COLUMN rate_limit jsonb,
    ADD COLUMN tool_mode text NOT NULL DEFAULT 'all' CHECK (tool_mode IN ('all', 'search'));
  ALTER TABLE registry.organizations ADD COLUMN user_rate_limit jsonb;
  ALTER TABLE registry.integrations ADD COLUMN pinned boolean NOT NULL DEFAULT false`;

function bumpBy(table: string): string {
  return `CREATE TRIGGER ${table}_bump AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON registry.${table}
    FOR EACH STATEMENT EXECUTE FUNCTION registry.bump_version()`;
}

/* CREATE OR REPLACE keeps grants and takes new columns at the end alone. */
const views = `
  CREATE OR REPLACE VIEW registry.v_policies AS SELECT id, organization_id, roles, mcp_configs, matchers, effect, priority,
    group_ids FROM registry.policies WHERE is_active;
  CREATE VIEW registry.v_tool_groups AS SELECT id, organization_id, name, selectors, include, exclude
    FROM registry.tool_groups;
  CREATE VIEW registry.v_toolsets AS SELECT id, organization_id, slug, name, description, prefix, tool_mode, mcp_configs,
    virtual_key_ids, user_ids, roles FROM registry.toolsets WHERE is_active;
  CREATE OR REPLACE VIEW registry.v_organizations AS SELECT id, slug, name, user_rate_limit FROM registry.organizations;
  CREATE OR REPLACE VIEW registry.v_virtual_keys AS SELECT id, organization_id, name, key_hash, mcp_configs, expires_at,
    revoked_at, user_id, rate_limit, tool_mode FROM registry.virtual_keys;
  CREATE OR REPLACE VIEW registry.v_integrations AS SELECT i.id, i.organization_id, i.slug, i.name, i.kind, i.scope,
    i.owner_user_id, i.transport, i.auth_mode, i.service_user_id, i.header_names, i.env_names, i.available_in_chat,
    i.available_to_autonomous, i.tools_to_execute, i.tools_to_skip, i.tool_overrides, i.deadline_ms, i.max_concurrency,
    i.rate_limit, i.sync_interval_seconds, i.auto_reconnect, i.enabled, i.retention, i.version, i.updated_at, i.oauth,
    i.user_header_names, EXISTS (SELECT 1 FROM registry.users u WHERE u.id = i.service_user_id AND u.active
      AND u.organization_id = i.organization_id) AS service_user_active, i.pinned
    FROM registry.integrations i`;
