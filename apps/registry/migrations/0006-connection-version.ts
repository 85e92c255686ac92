import { grant } from '@switchyard/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which changes of an integration need a new connection: a stdio server is not restarted for its name. */
export class ConnectionVersion1764000000106 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `ALTER TABLE registry.integrations ADD COLUMN connection_version integer NOT NULL DEFAULT 1`,
    );
    // CREATE OR REPLACE keeps grants and takes new columns at the end alone.
    await runner.query(`CREATE OR REPLACE VIEW registry.v_integrations AS SELECT ${columns}, i.connection_version
      FROM registry.integrations i`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP VIEW registry.v_integrations`);
    await runner.query(`ALTER TABLE registry.integrations DROP COLUMN connection_version`);
    await runner.query(
      `CREATE VIEW registry.v_integrations AS SELECT ${columns} FROM registry.integrations i`,
    );
    await grant(runner, { on: 'registry.v_integrations', to: everybody, privilege: 'SELECT' });
  }
}

const everybody = ['registry', 'catalog-sync', 'dispatch', 'gateway', 'token-broker', 'agent-runner'];

const columns = `i.id, i.organization_id, i.slug, i.name, i.kind, i.scope, i.owner_user_id, i.transport, i.auth_mode,
  i.service_user_id, i.header_names, i.env_names, i.available_in_chat, i.available_to_autonomous, i.tools_to_execute,
  i.tools_to_skip, i.tool_overrides, i.deadline_ms, i.max_concurrency, i.rate_limit, i.sync_interval_seconds,
  i.auto_reconnect, i.enabled, i.retention, i.version, i.updated_at, i.oauth, i.user_header_names,
  EXISTS (SELECT 1 FROM registry.users u WHERE u.id = i.service_user_id AND u.active
    AND u.organization_id = i.organization_id) AS service_user_active,
  i.pinned, i.default_policy, i.approval_on_gateway, i.approval`;
