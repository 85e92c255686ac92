import { grant } from '@switchyard/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The tools that upstreams listed, how each integration stands, and who watches it. */
export class Catalog1764000000301 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [version, states, tools, watches, views]) await runner.query(statement);
    for (const table of tables) {
      await grant(runner, {
        on: `catalog.${table}`,
        to: ['catalog-sync'],
        privilege: 'SELECT, INSERT, UPDATE, DELETE',
      });
    }
    const readers = ['catalog-sync', 'registry', 'dispatch', 'gateway'];
    for (const view of ['v_version', 'v_integration_states', 'v_tools']) {
      await grant(runner, { on: `catalog.${view}`, to: readers, privilege: 'SELECT' });
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP VIEW catalog.v_tools, catalog.v_integration_states, catalog.v_version`);
    await runner.query(
      `DROP TABLE ${[...tables]
        .reverse()
        .map((table) => `catalog.${table}`)
        .join(', ')}`,
    );
  }
}

const tables = ['version', 'integration_states', 'external_mcp_tools', 'watchers', 'watches'];

/* Not bumped by triggers: most writes here (a check that passed, the time of a sync) change nothing that others read. */
const version = `
  CREATE TABLE catalog.version (version bigint NOT NULL);
  INSERT INTO catalog.version VALUES (1)`;

const states = `
  CREATE TABLE catalog.integration_states (
    integration_id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    state text NOT NULL
      CHECK (state IN ('connecting', 'connected', 'unstable', 'disconnected', 'needs_reauth', 'disabled')),
    tool_count integer NOT NULL DEFAULT 0,
    last_failure jsonb,
    consecutive_failures integer NOT NULL DEFAULT 0,
    failed_syncs integer NOT NULL DEFAULT 0,
    last_sync_at timestamptz,
    next_sync_at timestamptz,
    era text,
    protocol_version text,
    server_name text,
    server_version text,
    instructions text,
    -- What the last attempt, and the last success, were made with.
    attempted_version integer,
    synced_target text,
    -- Who syncs now; the generation of a sync that lost its claim is no longer the row's.
    generation bigint NOT NULL DEFAULT 0,
    claimed_by uuid,
    claimed_until timestamptz,
    version bigint NOT NULL DEFAULT 0
  );
  CREATE INDEX integration_states_due ON catalog.integration_states (next_sync_at) WHERE next_sync_at IS NOT NULL`;

const tools = `
  CREATE TABLE catalog.external_mcp_tools (
    id uuid PRIMARY KEY,
    integration_id uuid NOT NULL REFERENCES catalog.integration_states (integration_id) ON DELETE CASCADE,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    qualified_name text NOT NULL,
    description text,
    input_schema jsonb NOT NULL,
    wire json NOT NULL,
    wire_sha256 text NOT NULL,
    enabled boolean NOT NULL GENERATED ALWAYS AS (disabled_reason IS NULL) STORED,
    disabled_reason text CHECK (disabled_reason IN ('vanished', 'admin', 'invalid_schema')),
    disabled_detail text,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (integration_id, name)
  )`;

const watches = `
  CREATE TABLE catalog.watchers (owner uuid PRIMARY KEY, lease_until timestamptz NOT NULL);
  CREATE TABLE catalog.watches (
    integration_id uuid PRIMARY KEY REFERENCES catalog.integration_states (integration_id) ON DELETE CASCADE,
    owner uuid NOT NULL,
    lease_until timestamptz NOT NULL
  );
  CREATE INDEX watches_by_owner ON catalog.watches (owner)`;

const views = `
  CREATE VIEW catalog.v_version AS SELECT version FROM catalog.version;
  CREATE VIEW catalog.v_integration_states AS
    SELECT integration_id, organization_id, state, tool_count, last_failure, consecutive_failures, last_sync_at,
           next_sync_at, version, era, protocol_version, server_name, server_version, instructions
    FROM catalog.integration_states;
  CREATE VIEW catalog.v_tools AS
    SELECT id, integration_id, organization_id, name, qualified_name, wire, wire_sha256, enabled, disabled_reason,
           disabled_detail, first_seen_at, last_seen_at
    FROM catalog.external_mcp_tools`;
