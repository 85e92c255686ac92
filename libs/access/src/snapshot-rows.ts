import type {
  IntegrationRecord,
  IntegrationStateRecord,
  OrganizationRecord,
  ToolOverride,
  ToolRecord,
  VirtualKeyRecord,
} from './records.js';

/** Runs one statement and returns its rows, as `pg` does. */
export type QueryFunction = (sql: string, params?: unknown[]) => Promise<unknown[]>;

/** The version rows: whoever writes the schema bumps its own. */
export async function readVersions(query: QueryFunction): Promise<{ registry: string; catalog: string }> {
  const sql = `SELECT (SELECT version::text FROM registry.v_version) AS registry,
                      (SELECT version::text FROM catalog.v_version) AS catalog`;
  const [row] = (await query(sql)) as { registry: string; catalog: string }[];
  if (!row) throw new Error('The version rows are missing');
  return row;
}

/** Every row of the registry that a snapshot holds. */
export async function readRegistry(query: QueryFunction) {
  const organizations = (await query(
    `SELECT id, slug, name FROM registry.v_organizations`,
  )) as OrganizationRecord[];
  const integrations = (await query(integrationsSql)) as (IntegrationRecord & RawIntegration)[];
  const keys = (await query(virtualKeysSql)) as (VirtualKeyRecord & RawVirtualKey)[];
  return {
    organizations,
    integrations: integrations.map(toIntegration),
    virtualKeys: keys.map(toVirtualKey),
  };
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
    updated_at AS "updatedAt"
  FROM registry.v_integrations ORDER BY slug`;

const virtualKeysSql = `SELECT id, organization_id AS "orgId", name, key_hash AS "keyHash", mcp_configs AS "mcpConfigs",
    expires_at AS "expiresAt", revoked_at AS "revokedAt"
  FROM registry.v_virtual_keys`;

type RawIntegration = {
  toolOverrides: Record<string, { enabled?: boolean; safe?: boolean; deadline_ms?: number }>;
  rateLimit: { limit: number; interval_ms: number } | null;
};
type RawVirtualKey = { mcpConfigs: { mcp_client_name: string; tools_to_execute?: string[] | null }[] };

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

function toVirtualKey(row: Omit<VirtualKeyRecord, keyof RawVirtualKey> & RawVirtualKey): VirtualKeyRecord {
  const mcpConfigs = row.mcpConfigs.map((config) => ({
    mcpClientName: config.mcp_client_name,
    toolsToExecute: config.tools_to_execute ?? null,
  }));
  return { ...row, mcpConfigs };
}
