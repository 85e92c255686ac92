import type { CredentialState } from '@switchyard/contracts';
import type { FeatureRecord } from './feature-records.js';
import type { IntegrationStateRecord, ToolRecord } from './records.js';
import { readWired } from './row-reading.js';
import type { QueryFunction } from './row-reading.js';

/** The states of service users' credentials, by integration. */
export async function readServiceCredentials(query: QueryFunction): Promise<Map<string, CredentialState>> {
  const sql = `SELECT c.integration_id AS id, c.state FROM broker.v_credential_states c
    JOIN registry.v_integrations i ON i.id = c.integration_id AND i.service_user_id = c.user_id`;
  const rows = (await query(sql)) as { id: string; state: CredentialState }[];
  return new Map(rows.map(({ id, state }) => [id, state]));
}

/** The states of all integrations. */
export async function readStates(query: QueryFunction): Promise<IntegrationStateRecord[]> {
  const sql = `SELECT integration_id AS "integrationId", organization_id AS "orgId", state, tool_count AS "toolCount",
      last_failure AS "lastFailure", last_sync_at AS "lastSyncAt", version::text AS version, era,
      protocol_version AS "protocolVersion", server_name AS "serverName", server_version AS "serverVersion",
      instructions, capabilities
    FROM catalog.v_integration_states`;
  return (await query(sql)) as IntegrationStateRecord[];
}

/** The tools of one integration, in the order of their ids. */
export async function readTools(
  query: QueryFunction,
  integrationId: string,
  known: readonly ToolRecord[],
): Promise<readonly ToolRecord[]> {
  const heads = (await query(toolsSql, [integrationId])) as Omit<ToolRecord, 'wire'>[];
  const wiresSql = `SELECT id, wire_sha256 AS "wireSha256", wire FROM catalog.v_tools WHERE id = ANY($1)`;
  return readWired<ToolRecord>(query, { heads, wiresSql }, known);
}

/** Prompts, resources and templates of one integration. Most servers have none, and are not asked about. */
export async function readFeatures(
  query: QueryFunction,
  { integrationId, capabilities }: IntegrationStateRecord,
  known: readonly FeatureRecord[],
): Promise<readonly FeatureRecord[]> {
  const hasSome = Boolean(capabilities?.['prompts'] ?? capabilities?.['resources']);
  if (!hasSome && known.length === 0) return known;
  const heads = (await query(featuresSql, [integrationId])) as Omit<FeatureRecord, 'wire'>[];
  const wiresSql = `SELECT id, wire_sha256 AS "wireSha256", wire FROM catalog.v_features WHERE id = ANY($1)`;
  return readWired<FeatureRecord>(query, { heads, wiresSql }, known);
}

const toolsSql = `SELECT id, integration_id AS "integrationId", name, wire_sha256 AS "wireSha256", enabled,
    disabled_reason AS "disabledReason", pin_state AS "pinState"
  FROM catalog.v_tools WHERE integration_id = $1 ORDER BY id`;

const featuresSql = `SELECT id, integration_id AS "integrationId", kind, name, wire_sha256 AS "wireSha256", position
  FROM catalog.v_features WHERE integration_id = $1 ORDER BY kind, position, id`;
