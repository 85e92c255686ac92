import { grant } from '@switchyard/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Prompts, resources and templates; what an admin approved of each tool; what warns of a tool; search over tools. */
export class Features1764000000302 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [states, features, approvals, searchDocument, search, views])
      await runner.query(statement);
    await grant(runner, {
      on: 'catalog.features',
      to: ['catalog-sync'],
      privilege: 'SELECT, INSERT, UPDATE, DELETE',
    });
    const readers = ['catalog-sync', 'registry', 'dispatch', 'gateway'];
    for (const view of ['v_features', 'v_tool_search'])
      await grant(runner, { on: `catalog.${view}`, to: readers, privilege: 'SELECT' });
  }

  async down(runner: QueryRunner): Promise<void> {
    // A view loses columns only when it is made anew, and nobody goes back over this border with data of value.
    await runner.query(
      `DROP VIEW catalog.v_tool_search, catalog.v_features, catalog.v_tools, catalog.v_integration_states`,
    );
    await runner.query(`ALTER TABLE catalog.external_mcp_tools DROP COLUMN search_document,
      DROP COLUMN approved_sha256, DROP COLUMN approved_wire, DROP COLUMN approved_at, DROP COLUMN warnings`);
    await runner.query(
      `DROP FUNCTION catalog.tool_document, catalog.argument_words, catalog.argument_descriptions, catalog.split_words`,
    );
    await runner.query(`DROP TABLE catalog.features`);
    await runner.query(`ALTER TABLE catalog.integration_states DROP COLUMN capabilities, DROP COLUMN feature_problems,
      DROP COLUMN pinned`);
  }
}

/* `pinned` is what the last sync saw: switching it on approves what is there. */
const states = `
  ALTER TABLE catalog.integration_states ADD COLUMN capabilities jsonb,
    ADD COLUMN feature_problems text[] NOT NULL DEFAULT '{}',
    ADD COLUMN pinned boolean NOT NULL DEFAULT false`;

/* `wire` is json, not jsonb: it is passed on as it came, the order of its keys included. */
const features = `
  CREATE TABLE catalog.features (
    id uuid PRIMARY KEY,
    integration_id uuid NOT NULL REFERENCES catalog.integration_states (integration_id) ON DELETE CASCADE,
    organization_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('prompt', 'resource', 'resource_template')),
    name text NOT NULL,
    wire json NOT NULL,
    wire_sha256 text NOT NULL,
    position integer NOT NULL,
    UNIQUE (integration_id, kind, name)
  )`;

/* Without a pin what is there counts as approved, so that a pin that is switched on takes nothing away. */
const approvals = `
  ALTER TABLE catalog.external_mcp_tools ADD COLUMN approved_sha256 text, ADD COLUMN approved_wire json,
    ADD COLUMN approved_at timestamptz, ADD COLUMN warnings text[] NOT NULL DEFAULT '{}';
  UPDATE catalog.external_mcp_tools SET approved_sha256 = wire_sha256, approved_wire = wire, approved_at = now()`;

/*
 * What a search for tools looks at. The lengths are bounded, because a document beyond a megabyte fails, and with it
 * the sync of the whole integration.
 */
const searchDocument = `
  CREATE FUNCTION catalog.split_words(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT regexp_replace(regexp_replace(left(given, 1000), '([a-z0-9])([A-Z])', '\\1 \\2', 'g'), '[^[:alnum:]]+', ' ', 'g') $$;
  CREATE FUNCTION catalog.argument_words(schema jsonb) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT left(coalesce(string_agg(catalog.split_words(given.key), ' '), ''), 20000)
    FROM jsonb_path_query(schema, 'strict $.**.properties ? (@.type() == "object")', '{}', true) AS held,
         jsonb_object_keys(held) AS given (key)
  $$;
  CREATE FUNCTION catalog.argument_descriptions(schema jsonb) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT left(coalesce(string_agg(text #>> '{}', ' '), ''), 20000)
    FROM jsonb_path_query(schema, 'strict $.**.description ? (@.type() == "string")', '{}', true) AS text
  $$;
  CREATE FUNCTION catalog.tool_document(name text, wire json) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT
      setweight(to_tsvector('pg_catalog.simple', catalog.split_words(name)), 'A') ||
      setweight(to_tsvector('pg_catalog.english', catalog.split_words(name)), 'A') ||
      setweight(to_tsvector('pg_catalog.english', coalesce(left(wire->>'title', 1000), '')), 'A') ||
      setweight(to_tsvector('pg_catalog.english', coalesce(left(wire->>'description', 20000), '')), 'B') ||
      setweight(to_tsvector('pg_catalog.simple', catalog.argument_words((wire->'inputSchema')::jsonb)), 'C') ||
      setweight(to_tsvector('pg_catalog.english', catalog.argument_words((wire->'inputSchema')::jsonb)), 'C') ||
      setweight(to_tsvector('pg_catalog.english', catalog.argument_descriptions((wire->'inputSchema')::jsonb)), 'C')
  $$`;

const search = `
  ALTER TABLE catalog.external_mcp_tools
    ADD COLUMN search_document tsvector GENERATED ALWAYS AS (catalog.tool_document(name, wire)) STORED;
  CREATE INDEX external_mcp_tools_search ON catalog.external_mcp_tools USING gin (search_document)`;

const views = `
  CREATE OR REPLACE VIEW catalog.v_integration_states AS
    SELECT integration_id, organization_id, state, tool_count, last_failure, consecutive_failures, last_sync_at,
           next_sync_at, version, era, protocol_version, server_name, server_version, instructions, capabilities,
           feature_problems
    FROM catalog.integration_states;
  CREATE OR REPLACE VIEW catalog.v_tools AS
    SELECT id, integration_id, organization_id, name, qualified_name, wire, wire_sha256, enabled, disabled_reason,
           disabled_detail, first_seen_at, last_seen_at,
           CASE WHEN approved_sha256 IS NULL THEN 'pending' WHEN approved_sha256 = wire_sha256 THEN 'approved'
             ELSE 'changed' END AS pin_state,
           approved_sha256, approved_wire, approved_at, warnings
    FROM catalog.external_mcp_tools;
  CREATE VIEW catalog.v_features AS
    SELECT id, integration_id, organization_id, kind, name, wire, wire_sha256, position FROM catalog.features;
  CREATE VIEW catalog.v_tool_search AS
    SELECT id AS tool_id, integration_id, organization_id, search_document AS document
    FROM catalog.external_mcp_tools WHERE enabled`;
