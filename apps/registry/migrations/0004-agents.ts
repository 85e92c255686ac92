import { grant } from '@switchyard/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Agents with their schedules and webhooks, and whether calls run by themselves. */
export class Agents1764000000104 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [agents, schedules, webhooks, integrations, views]) await runner.query(statement);
    for (const table of tables) {
      await runner.query(bumpBy(table));
      await grant(runner, {
        on: `registry.${table}`,
        to: ['registry'],
        privilege: 'SELECT, INSERT, UPDATE, DELETE',
      });
    }
    await grant(runner, { on: 'registry.v_agents', to: everybody, privilege: 'SELECT' });
    // Whose secrets the vault holds.
    await grant(runner, { on: 'registry.v_webhooks', to: ['token-broker'], privilege: 'SELECT' });
    // Who decides about calls is authenticated at dispatch.
    await grant(runner, { on: 'registry.v_admin_keys', to: ['dispatch'], privilege: 'SELECT' });
    for (const view of runnersViews)
      await grant(runner, { on: `registry.${view}`, to: ['agent-runner'], privilege: 'SELECT' });
  }

  async down(runner: QueryRunner): Promise<void> {
    // A view loses columns only when it is made anew, and nobody goes back over this border with data of value.
    await runner.query(`DROP VIEW registry.v_webhooks, registry.v_schedules, registry.v_agent_definitions,
      registry.v_agents, registry.v_integrations`);
    await runner.query(`DROP TABLE registry.agent_webhooks, registry.agent_schedules, registry.agents`);
    await runner.query(`ALTER TABLE registry.integrations DROP COLUMN default_policy,
      DROP COLUMN approval_on_gateway, DROP COLUMN approval`);
  }
}

const tables = ['agents', 'agent_schedules', 'agent_webhooks'];
const everybody = ['registry', 'catalog-sync', 'dispatch', 'gateway', 'token-broker', 'agent-runner'];

/** What only the runner of agents needs, and what the other services publish for everybody but it. */
const runnersViews = [
  ...['v_agent_definitions', 'v_schedules', 'v_webhooks'],
  ...[
    'v_version',
    'v_organizations',
    'v_integrations',
    'v_virtual_keys',
    'v_identity_providers',
    'v_policies',
  ],
  ...['v_tool_groups', 'v_toolsets', 'v_users', 'v_inactive_users', 'v_admin_keys'],
];

/*
 * `execution`, `approval` and `chat_access` are as `AgentDefinition` of the contracts has them. `grants` is the form of
 * `mcp_configs` everywhere. The key of the model is in the vault of the token broker.
 */
const agents = `
  CREATE TABLE registry.agents (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES registry.organizations (id),
    slug text NOT NULL CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 48),
    name text NOT NULL,
    description text,
    instructions text NOT NULL,
    model jsonb NOT NULL,
    has_model_key boolean NOT NULL DEFAULT false,
    grants jsonb NOT NULL,
    execution jsonb NOT NULL,
    approval jsonb NOT NULL,
    chat_access jsonb NOT NULL,
    max_depth integer NOT NULL,
    tool_deadline_ms integer NOT NULL,
    mixed_turn text NOT NULL CHECK (mixed_turn IN ('run_auto', 'hold_all')),
    unattended_approval text NOT NULL CHECK (unattended_approval IN ('leave_out', 'park')),
    agentic_mode boolean NOT NULL,
    is_active boolean NOT NULL DEFAULT true,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organization_id, slug)
  );
  CREATE INDEX agents_by_organization ON registry.agents (organization_id, id)`;

/* `rule` is a `ScheduleRule` of libs/schedules. Times before `active_since` are not missed: it was paused, or not there. */
const schedules = `
  CREATE TABLE registry.agent_schedules (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES registry.organizations (id),
    agent_id uuid NOT NULL REFERENCES registry.agents (id) ON DELETE CASCADE,
    name text NOT NULL,
    rule jsonb NOT NULL,
    input text NOT NULL,
    overlap text NOT NULL CHECK (overlap IN ('skip', 'queue')),
    catch_up text NOT NULL CHECK (catch_up IN ('none', 'last', 'all')),
    is_paused boolean NOT NULL DEFAULT false,
    version integer NOT NULL DEFAULT 1,
    active_since timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE INDEX agent_schedules_by_agent ON registry.agent_schedules (organization_id, agent_id, id)`;

/* `scheme` is a `WebhookScheme` of libs/webhooks. The secrets are in the vault. */
const webhooks = `
  CREATE TABLE registry.agent_webhooks (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES registry.organizations (id),
    agent_id uuid NOT NULL REFERENCES registry.agents (id) ON DELETE CASCADE,
    name text NOT NULL,
    scheme jsonb NOT NULL,
    input text NOT NULL,
    body_limit_bytes integer NOT NULL,
    has_previous_secret boolean NOT NULL DEFAULT false,
    is_active boolean NOT NULL DEFAULT true,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE INDEX agent_webhooks_by_agent ON registry.agent_webhooks (organization_id, agent_id, id)`;

const integrations = `
  ALTER TABLE registry.integrations
    ADD COLUMN default_policy text CHECK (default_policy IN ('auto_execute', 'require_approval')),
    ADD COLUMN approval_on_gateway text NOT NULL DEFAULT 'host' CHECK (approval_on_gateway IN ('host', 'platform')),
    ADD COLUMN approval jsonb NOT NULL
      DEFAULT '{"approverRoles":[],"approverUserIds":[],"selfApproval":true,"expiresMs":86400000}'`;

function bumpBy(table: string): string {
  return `CREATE TRIGGER ${table}_bump AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON registry.${table}
    FOR EACH STATEMENT EXECUTE FUNCTION registry.bump_version()`;
}

/* CREATE OR REPLACE keeps grants and takes new columns at the end alone. */
const views = `
  CREATE VIEW registry.v_agents AS SELECT id, organization_id, slug, name, grants, execution, approval, chat_access,
    is_active, version FROM registry.agents;
  CREATE VIEW registry.v_agent_definitions AS SELECT id, organization_id, slug, name, description, instructions, model,
    has_model_key, grants, execution, approval, chat_access, max_depth, tool_deadline_ms, mixed_turn,
    unattended_approval, agentic_mode, is_active, version FROM registry.agents;
  CREATE VIEW registry.v_schedules AS SELECT id, organization_id, agent_id, name, rule, input, overlap, catch_up,
    is_paused, version, active_since FROM registry.agent_schedules;
  CREATE VIEW registry.v_webhooks AS SELECT id, organization_id, agent_id, name, scheme, input, body_limit_bytes,
    is_active, version FROM registry.agent_webhooks;
  CREATE OR REPLACE VIEW registry.v_integrations AS SELECT i.id, i.organization_id, i.slug, i.name, i.kind, i.scope,
    i.owner_user_id, i.transport, i.auth_mode, i.service_user_id, i.header_names, i.env_names, i.available_in_chat,
    i.available_to_autonomous, i.tools_to_execute, i.tools_to_skip, i.tool_overrides, i.deadline_ms, i.max_concurrency,
    i.rate_limit, i.sync_interval_seconds, i.auto_reconnect, i.enabled, i.retention, i.version, i.updated_at, i.oauth,
    i.user_header_names, EXISTS (SELECT 1 FROM registry.users u WHERE u.id = i.service_user_id AND u.active
      AND u.organization_id = i.organization_id) AS service_user_active, i.pinned, i.default_policy,
    i.approval_on_gateway, i.approval
    FROM registry.integrations i`;
