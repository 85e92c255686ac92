import type {
  PolicyRecord,
  ToolGroupRecord,
  ToolSelector,
  ToolsetConfig,
  ToolsetRecord,
} from './grant-records.js';
import type {
  AgentRecord,
  IdentityProviderRecord,
  IntegrationRecord,
  McpConfig,
  OrganizationRecord,
  RateLimit,
  ToolOverride,
  VirtualKeyRecord,
} from './records.js';
import type { QueryFunction } from './row-reading.js';

/** Every row of the registry that a snapshot holds. */
export async function readRegistry(query: QueryFunction) {
  const organizations = (await query(organizationsSql)) as (OrganizationRecord & RawOrganization)[];
  const integrations = (await query(integrationsSql)) as (IntegrationRecord & RawIntegration)[];
  const keys = (await query(virtualKeysSql)) as (VirtualKeyRecord & RawConfigs & RawLimit)[];
  const policies = (await query(policiesSql)) as (PolicyRecord & RawConfigs)[];
  const toolsets = (await query(toolsetsSql)) as (ToolsetRecord & RawConfigs)[];
  const groups = (await query(toolGroupsSql)) as (ToolGroupRecord & RawSelectors)[];
  const agents = (await query(agentsSql)) as (AgentRecord & RawConfigs)[];
  const inactive = (await query(`SELECT id FROM registry.v_inactive_users`)) as { id: string }[];
  return {
    organizations: organizations.map(toOrganization),
    integrations: integrations.map(toIntegration),
    virtualKeys: keys.map((row) => ({ ...withConfigs(row), rateLimit: toRateLimit(row.rateLimit) })),
    identityProviders: (await query(identityProvidersSql)) as IdentityProviderRecord[],
    policies: policies.map(withConfigs),
    toolsets: toolsets.map(toToolset),
    toolGroups: groups.map(toToolGroup),
    agents: agents.map(withConfigs),
    inactiveUsers: new Set(inactive.map(({ id }) => id)),
  };
}

const organizationsSql = `SELECT id, slug, name, user_rate_limit AS "userRateLimit" FROM registry.v_organizations`;

const integrationsSql = `SELECT id, organization_id AS "orgId", slug, name, kind, scope, owner_user_id AS "ownerUserId",
    transport, auth_mode AS "authMode", service_user_id AS "serviceUserId", header_names AS "headerNames",
    env_names AS "envNames", available_in_chat AS "availableInChat", available_to_autonomous AS "availableToAutonomous",
    tools_to_execute AS "toolsToExecute", tools_to_skip AS "toolsToSkip", tool_overrides AS "toolOverrides",
    deadline_ms AS "deadlineMs", max_concurrency AS "maxConcurrency", rate_limit AS "rateLimit",
    sync_interval_seconds AS "syncIntervalSeconds", auto_reconnect AS "autoReconnect", enabled, retention, version,
    updated_at AS "updatedAt", service_user_active AS "serviceUserActive", user_header_names AS "userHeaderNames",
    pinned, default_policy AS "defaultPolicy", approval_on_gateway AS "approvalOnGateway", approval,
    connection_version AS "connectionVersion"
  FROM registry.v_integrations ORDER BY slug`;

const virtualKeysSql = `SELECT id, organization_id AS "orgId", name, key_hash AS "keyHash", mcp_configs AS "mcpConfigs",
    expires_at AS "expiresAt", revoked_at AS "revokedAt", user_id AS "userId", rate_limit AS "rateLimit",
    tool_mode AS "toolMode"
  FROM registry.v_virtual_keys`;

const identityProvidersSql = `SELECT id, organization_id AS "orgId", issuer, audience, jwks_uri AS "jwksUri",
    roles_claim AS "rolesClaim", enabled
  FROM registry.v_identity_providers ORDER BY id`;

const policiesSql = `SELECT id, organization_id AS "orgId", roles, matchers, effect, priority, mcp_configs AS "mcpConfigs",
    group_ids AS "groupIds"
  FROM registry.v_policies ORDER BY id`;

const toolGroupsSql = `SELECT id, organization_id AS "orgId", selectors, include, exclude
  FROM registry.v_tool_groups ORDER BY id`;

const toolsetsSql = `SELECT id, organization_id AS "orgId", slug, name, description, prefix, tool_mode AS "toolMode",
    mcp_configs AS "mcpConfigs", virtual_key_ids AS "virtualKeyIds", user_ids AS "userIds", roles
  FROM registry.v_toolsets ORDER BY id`;

const agentsSql = `SELECT id, organization_id AS "orgId", slug, name, grants AS "mcpConfigs", execution, approval,
    chat_access AS "chatAccess", is_active AS "isActive", version
  FROM registry.v_agents ORDER BY id`;

type RawRateLimit = { limit: number; interval_ms: number };
type RawLimit = { rateLimit: RawRateLimit | null };
type RawOrganization = { userRateLimit: RawRateLimit | null };
type RawOverride = Omit<ToolOverride, 'deadlineMs' | 'cacheSeconds'> & {
  deadline_ms?: number;
  cache_seconds?: number;
};
type RawIntegration = RawLimit & { toolOverrides: Record<string, RawOverride> };
type RawConfig = {
  mcp_client_name: string;
  tools_to_execute?: string[] | null;
  prompts?: boolean;
  resources?: boolean;
  tools?: ToolsetConfig['tools'];
};
type RawConfigs = { mcpConfigs: RawConfig[] };
type RawSelector = { client?: string; tool?: string; read_only?: boolean; destructive?: boolean };
type RawSelectors = { selectors: RawSelector[] };

function toOrganization(
  row: Omit<OrganizationRecord, keyof RawOrganization> & RawOrganization,
): OrganizationRecord {
  return { ...row, userRateLimit: toRateLimit(row.userRateLimit) };
}

function toIntegration(
  row: Omit<IntegrationRecord, keyof RawIntegration> & RawIntegration,
): IntegrationRecord {
  const overrides = Object.entries(row.toolOverrides).map(([tool, override]): [string, ToolOverride] => {
    const { deadline_ms: deadlineMs, cache_seconds: cacheSeconds, ...rest } = override;
    return [tool, { ...rest, deadlineMs, cacheSeconds }];
  });
  return { ...row, toolOverrides: Object.fromEntries(overrides), rateLimit: toRateLimit(row.rateLimit) };
}

function toRateLimit(raw: RawRateLimit | null): RateLimit | null {
  return raw && { limit: raw.limit, intervalMs: raw.interval_ms };
}

function withConfigs<R extends RawConfigs>(row: R): Omit<R, 'mcpConfigs'> & { mcpConfigs: McpConfig[] } {
  return { ...row, mcpConfigs: row.mcpConfigs.map(toConfig) };
}

function toConfig(config: RawConfig): McpConfig {
  return {
    mcpClientName: config.mcp_client_name,
    toolsToExecute: config.tools_to_execute ?? null,
    ...(config.prompts !== undefined && { prompts: config.prompts }),
    ...(config.resources !== undefined && { resources: config.resources }),
  };
}

function toToolset(row: Omit<ToolsetRecord, 'mcpConfigs'> & RawConfigs): ToolsetRecord {
  const mcpConfigs = row.mcpConfigs.map((config) => ({ ...toConfig(config), tools: config.tools ?? {} }));
  return { ...row, mcpConfigs };
}

function toToolGroup(row: Omit<ToolGroupRecord, 'selectors'> & RawSelectors): ToolGroupRecord {
  const selectors = row.selectors.map(({ read_only: readOnly, ...rest }): ToolSelector => ({
    ...rest,
    ...(readOnly !== undefined && { readOnly }),
  }));
  return { ...row, selectors };
}
