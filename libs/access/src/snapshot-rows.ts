import type { CredentialState } from '@switchyard/contracts';
import type {
  IdentityProviderRecord,
  IntegrationRecord,
  IntegrationStateRecord,
  McpConfig,
  OrganizationRecord,
  PolicyRecord,
  ToolOverride,
  ToolRecord,
  VirtualKeyRecord,
} from './records.js';

/** Runs one statement and returns its rows, as `pg` does. */
export type QueryFunction = (sql: string, params?: unknown[]) => Promise<unknown[]>;

/** What the version rows say; compared for equality alone. */
export type Versions = { registry: string; catalog: string; broker: string };

/** The version rows: whoever writes the schema bumps its own. */
export async function readVersions(query: QueryFunction): Promise<Versions> {
  const sql = `SELECT (SELECT version::text FROM registry.v_version) AS registry,
                      (SELECT version::text FROM catalog.v_version) AS catalog,
                      (SELECT version::text FROM broker.v_version) AS broker`;
  const [row] = (await query(sql)) as Versions[];
  if (!row) throw new Error('The version rows are missing');
  return row;
}

/** Every row of the registry that a snapshot holds. */
export async function readRegistry(query: QueryFunction) {
  const organizations = (await query(
    `SELECT id, slug, name FROM registry.v_organizations`,
  )) as OrganizationRecord[];
  const integrations = (await query(integrationsSql)) as (IntegrationRecord & RawIntegration)[];
  const keys = (await query(virtualKeysSql)) as (VirtualKeyRecord & RawConfigs)[];
  const policies = (await query(policiesSql)) as (PolicyRecord & RawConfigs)[];
  const inactive = (await query(`SELECT id FROM registry.v_inactive_users`)) as { id: string }[];
  return {
    organizations,
    integrations: integrations.map(toIntegration),
    virtualKeys: keys.map(withConfigs),
    identityProviders: (await query(identityProvidersSql)) as IdentityProviderRecord[],
    policies: policies.map(withConfigs),
    inactiveUsers: new Set(inactive.map(({ id }) => id)),
  };
}

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
      protocol_version AS "protocolVersion", server_name AS "serverName", server_version AS "serverVersion"
    FROM catalog.v_integration_states`;
  return (await query(sql)) as IntegrationStateRecord[];
}

/**
 * The tools of one integration, in the order of their ids. A wire object is read only where its digest is not
 * `known`, so that a change of state or of one tool in 5,000 costs neither the transfer nor the parsing of the rest.
 */
export async function readTools(
  query: QueryFunction,
  integrationId: string,
  known: readonly ToolRecord[],
): Promise<readonly ToolRecord[]> {
  const heads = (await query(
    `SELECT id, integration_id AS "integrationId", name, wire_sha256 AS "wireSha256", enabled,
        disabled_reason AS "disabledReason"
      FROM catalog.v_tools WHERE integration_id = $1 ORDER BY id`,
    [integrationId],
  )) as Omit<ToolRecord, 'wire'>[];
  const before = new Map(known.map((tool) => [tool.id, tool]));
  const stale = heads.filter((head) => before.get(head.id)?.wireSha256 !== head.wireSha256);
  const wires = await readWires(
    query,
    stale.map(({ id }) => id),
  );
  const tools = heads.flatMap((head) => keepOrMake(head, before.get(head.id), wires.get(head.id)));
  const isSame = tools.length === known.length && tools.every((tool, index) => tool === known[index]);
  return isSame ? known : tools;
}

async function readWires(query: QueryFunction, ids: string[]): Promise<Map<string, ToolRecord['wire']>> {
  if (ids.length === 0) return new Map();
  const rows = await query(`SELECT id, wire FROM catalog.v_tools WHERE id = ANY($1)`, [ids]);
  return new Map((rows as Pick<ToolRecord, 'id' | 'wire'>[]).map(({ id, wire }) => [id, wire]));
}

/** A row that was deleted between the two reads is left out: the version has moved, and the next look reads again. */
function keepOrMake(
  head: Omit<ToolRecord, 'wire'>,
  before: ToolRecord | undefined,
  wire: ToolRecord['wire'] | undefined,
): ToolRecord[] {
  if (wire) return [{ ...head, wire }];
  if (!before) return [];
  const isSame =
    before.enabled === head.enabled &&
    before.disabledReason === head.disabledReason &&
    before.name === head.name;
  return [isSame ? before : { ...head, wire: before.wire }];
}

const integrationsSql = `SELECT id, organization_id AS "orgId", slug, name, kind, scope, owner_user_id AS "ownerUserId",
    transport, auth_mode AS "authMode", service_user_id AS "serviceUserId", header_names AS "headerNames",
    env_names AS "envNames", available_in_chat AS "availableInChat", available_to_autonomous AS "availableToAutonomous",
    tools_to_execute AS "toolsToExecute", tools_to_skip AS "toolsToSkip", tool_overrides AS "toolOverrides",
    deadline_ms AS "deadlineMs", max_concurrency AS "maxConcurrency", rate_limit AS "rateLimit",
    sync_interval_seconds AS "syncIntervalSeconds", auto_reconnect AS "autoReconnect", enabled, retention, version,
    updated_at AS "updatedAt", service_user_active AS "serviceUserActive", user_header_names AS "userHeaderNames"
  FROM registry.v_integrations ORDER BY slug`;

const virtualKeysSql = `SELECT id, organization_id AS "orgId", name, key_hash AS "keyHash", mcp_configs AS "mcpConfigs",
    expires_at AS "expiresAt", revoked_at AS "revokedAt", user_id AS "userId"
  FROM registry.v_virtual_keys`;

const identityProvidersSql = `SELECT id, organization_id AS "orgId", issuer, audience, jwks_uri AS "jwksUri",
    roles_claim AS "rolesClaim", enabled
  FROM registry.v_identity_providers ORDER BY id`;

const policiesSql = `SELECT id, organization_id AS "orgId", roles, mcp_configs AS "mcpConfigs"
  FROM registry.v_policies ORDER BY id`;

type RawIntegration = {
  toolOverrides: Record<string, { enabled?: boolean; safe?: boolean; deadline_ms?: number }>;
  rateLimit: { limit: number; interval_ms: number } | null;
};
type RawConfigs = { mcpConfigs: { mcp_client_name: string; tools_to_execute?: string[] | null }[] };

function toIntegration(
  row: Omit<IntegrationRecord, keyof RawIntegration> & RawIntegration,
): IntegrationRecord {
  const overrides = Object.entries(row.toolOverrides).map(([tool, override]): [string, ToolOverride] => {
    const { deadline_ms: deadlineMs, ...rest } = override;
    return [tool, { ...rest, deadlineMs }];
  });
  const rateLimit = row.rateLimit && { limit: row.rateLimit.limit, intervalMs: row.rateLimit.interval_ms };
  return { ...row, toolOverrides: Object.fromEntries(overrides), rateLimit };
}

function withConfigs<R extends RawConfigs>(row: R): Omit<R, 'mcpConfigs'> & { mcpConfigs: McpConfig[] } {
  const mcpConfigs = row.mcpConfigs.map((config) => ({
    mcpClientName: config.mcp_client_name,
    toolsToExecute: config.tools_to_execute ?? null,
  }));
  return { ...row, mcpConfigs };
}
