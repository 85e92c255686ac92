/** Builders for the specs of this library: they take only the fields that matter to a test. */
import { createHash } from 'node:crypto';
import { ApprovalTerms, ChatAccess, DEFAULT_ORGANIZATION_ID } from '@switchyard/contracts';
import type { CallerContext, WireTool } from '@switchyard/contracts';
import { buildSnapshot } from '../src/index.js';
import type {
  AgentRecord,
  IntegrationRecord,
  FeatureRecord,
  IntegrationStateRecord,
  McpConfig,
  PinState,
  PolicyRecord,
  Snapshot,
  SnapshotRows,
  ToolRecord,
  ToolsetConfig,
  ToolsetRecord,
  VirtualKeyRecord,
} from '../src/index.js';

export const orgId = DEFAULT_ORGANIZATION_ID;

/** A UUID that is the same for the same word. */
export function idOf(word: string): string {
  const hex = createHash('sha256').update(word).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

export function integration(fields: Partial<IntegrationRecord> & { slug: string }): IntegrationRecord {
  return {
    id: idOf(
      `${fields.orgId ?? orgId} ${fields.scope ?? 'organization'} ${fields.ownerUserId ?? ''} ${fields.slug}`,
    ),
    orgId,
    name: fields.slug,
    kind: 'external_mcp',
    scope: 'organization',
    ownerUserId: null,
    transport: { type: 'http', url: 'https://mcp.example.com/' },
    authMode: 'none',
    serviceUserId: null,
    serviceUserActive: false,
    userHeaderNames: [],
    headerNames: [],
    envNames: [],
    availableInChat: true,
    availableToAutonomous: true,
    toolsToExecute: null,
    toolsToSkip: null,
    toolOverrides: {},
    deadlineMs: null,
    maxConcurrency: null,
    rateLimit: null,
    pinned: false,
    defaultPolicy: null,
    approvalOnGateway: 'host',
    approval: ApprovalTerms.parse({}),
    syncIntervalSeconds: 600,
    autoReconnect: true,
    enabled: true,
    retention: 'always',
    version: 1,
    connectionVersion: 1,
    updatedAt: new Date(0),
    ...fields,
  };
}

export type ToolFields = {
  name: string;
  enabled?: boolean;
  annotations?: WireTool['annotations'];
  pinState?: PinState;
};

export function tools(of: IntegrationRecord, list: readonly (string | ToolFields)[]): ToolRecord[] {
  return list.map((entry, index) => {
    const fields = typeof entry === 'string' ? { name: entry } : entry;
    const wire = {
      name: fields.name,
      inputSchema: { type: 'object' },
      ...(fields.annotations && { annotations: fields.annotations }),
    };
    return {
      id: `${String(index).padStart(8, '0')}${idOf(of.id).slice(8)}`,
      integrationId: of.id,
      name: fields.name,
      wire,
      wireSha256: idOf(JSON.stringify(wire)),
      enabled: fields.enabled ?? true,
      disabledReason: null,
      pinState: fields.pinState ?? 'approved',
    };
  });
}

export function stateOf(
  of: IntegrationRecord,
  state: IntegrationStateRecord['state'] = 'connected',
): IntegrationStateRecord {
  return {
    integrationId: of.id,
    orgId: of.orgId,
    state,
    toolCount: 0,
    lastFailure: null,
    lastSyncAt: null,
    version: '1',
    era: null,
    protocolVersion: null,
    serverName: null,
    serverVersion: null,
    instructions: null,
    capabilities: null,
  };
}

export function virtualKey(
  fields: Partial<VirtualKeyRecord> & { mcpConfigs: McpConfig[] },
): VirtualKeyRecord {
  const id = fields.id ?? idOf(`key ${JSON.stringify(fields)}`);
  const rest = { userId: null, expiresAt: null, revokedAt: null, rateLimit: null, toolMode: 'all' as const };
  return { id, orgId, name: 'key', keyHash: idOf(`hash ${id}`), ...rest, ...fields };
}

/** An integration with its tools and its state. */
export type Registered = {
  integration: IntegrationRecord;
  tools: ToolRecord[];
  state?: IntegrationStateRecord;
};

export function registered(
  fields: Partial<IntegrationRecord> & { slug: string },
  list: readonly (string | ToolFields)[],
  state: IntegrationStateRecord['state'] | null = 'connected',
): Registered {
  const record = integration(fields);
  return { integration: record, tools: tools(record, list), ...(state && { state: stateOf(record, state) }) };
}

export function snapshotOf(
  all: readonly Registered[],
  virtualKeys: readonly VirtualKeyRecord[] = [],
  rows: Partial<SnapshotRows> = {},
): Snapshot {
  const organizations = [{ id: orgId, slug: 'default', name: 'Default', userRateLimit: null }];
  const states = new Map(all.flatMap(({ integration: { id }, state }) => (state ? [[id, state]] : [])));
  const byId = new Map(all.map(({ integration: { id }, tools }) => [id, tools]));
  return buildSnapshot(
    {
      ...{ organizations, integrations: all.map((one) => one.integration), virtualKeys, states, tools: byId },
      ...{ identityProviders: [], policies: [], inactiveUsers: new Set(), serviceCredentials: new Map() },
      ...rows,
    },
    1,
  );
}

export function keyCaller(key: VirtualKeyRecord, runKind: CallerContext['runKind'] = 'mcp'): CallerContext {
  const nobody = { userId: null, roles: [], hasSubjectToken: false };
  return { kind: 'service', orgId: key.orgId, virtualKeyId: key.id, ...nobody, runKind };
}

/** A user who calls by a key of their own: give the snapshot a key with the same `userId`. */
export function userCaller(
  key: VirtualKeyRecord,
  userId: string,
  runKind: CallerContext['runKind'] = 'chat',
): CallerContext {
  const noToken = { roles: [], hasSubjectToken: false };
  return { kind: 'user', orgId: key.orgId, userId, virtualKeyId: key.id, ...noToken, runKind };
}

/** A user who came with a token of their own, and what it says of them. */
export function tokenCaller(fields: Partial<CallerContext> = {}): CallerContext {
  const who = { kind: 'user', orgId, userId: idOf('me'), virtualKeyId: null } as const;
  return { ...who, runKind: 'bff', roles: [], hasSubjectToken: true, claims: {}, ...fields };
}

export function policy(fields: Partial<PolicyRecord>): PolicyRecord {
  const id = idOf(`policy ${JSON.stringify(fields)}`);
  const rest = {
    roles: null,
    matchers: [],
    effect: 'allow',
    priority: 0,
    mcpConfigs: [],
    groupIds: [],
  } as const;
  return { id, orgId, ...rest, ...fields };
}

export function toolset(fields: Partial<ToolsetRecord> & { slug: string }): ToolsetRecord {
  const nobody = { virtualKeyIds: [], userIds: [], roles: [] };
  const rest = {
    name: fields.slug,
    description: null,
    prefix: true,
    toolMode: 'all' as const,
    mcpConfigs: [],
  };
  return { id: idOf(`toolset ${fields.slug}`), orgId, ...rest, ...nobody, ...fields };
}

/** All of the named integrations, or some tools of them. */
export function configs(...clients: (string | [string, string[]])[]): ToolsetConfig[] {
  return clients.map((client) => {
    const [mcpClientName, toolsToExecute] = typeof client === 'string' ? [client, null] : client;
    return { mcpClientName, toolsToExecute, tools: {} };
  });
}

/** Rows of the catalog for prompts and resources, under the integration's id. */
export function features(
  of: IntegrationRecord,
  kind: FeatureRecord['kind'],
  names: readonly string[],
): FeatureRecord[] {
  return names.map((name, position) => ({
    id: idOf(`${of.id} ${kind} ${name}`),
    integrationId: of.id,
    kind,
    name,
    wire: wireOf(kind, name),
    wireSha256: idOf(name),
    position,
  }));
}

function wireOf(kind: FeatureRecord['kind'], name: string): Record<string, unknown> {
  if (kind === 'prompt') return { name, title: `Prompt ${name}` };
  return { [kind === 'resource' ? 'uri' : 'uriTemplate']: name, name: `Resource ${name}` };
}

/** A key with every tool of the named clients. */
export function keyFor(...clients: string[]): VirtualKeyRecord {
  return virtualKey({
    mcpConfigs: clients.map((mcpClientName) => ({ mcpClientName, toolsToExecute: ['*'] })),
  });
}

export function agent(fields: Partial<AgentRecord> & { slug: string }): AgentRecord {
  return {
    id: idOf(`agent ${fields.orgId ?? orgId} ${fields.slug}`),
    orgId,
    name: fields.slug,
    mcpConfigs: [],
    execution: { default: null, tools: {} },
    approval: ApprovalTerms.parse({}),
    chatAccess: ChatAccess.parse({}),
    isActive: true,
    version: 1,
    ...fields,
  };
}
