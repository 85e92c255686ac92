import type { CredentialState } from '@switchyard/contracts';
import type { FeatureRecord } from './feature-records.js';
import type { PolicyRecord, ToolGroupRecord, ToolsetRecord } from './grant-records.js';
import type {
  AgentRecord,
  IdentityProviderRecord,
  IntegrationRecord,
  IntegrationStateRecord,
  OrganizationRecord,
  ToolRecord,
  VirtualKeyRecord,
} from './records.js';

/** The rows from which a snapshot is made. */
export type SnapshotRows = {
  readonly organizations: readonly OrganizationRecord[];
  readonly integrations: readonly IntegrationRecord[];
  readonly virtualKeys: readonly VirtualKeyRecord[];
  readonly identityProviders: readonly IdentityProviderRecord[];
  readonly policies: readonly PolicyRecord[];
  readonly toolGroups?: readonly ToolGroupRecord[];
  readonly toolsets?: readonly ToolsetRecord[];
  readonly agents?: readonly AgentRecord[];
  readonly inactiveUsers: ReadonlySet<string>;
  readonly serviceCredentials: ReadonlyMap<string, CredentialState>;
  readonly states: ReadonlyMap<string, IntegrationStateRecord>;
  readonly tools: ReadonlyMap<string, readonly ToolRecord[]>;
  readonly features?: ReadonlyMap<string, readonly FeatureRecord[]>;
};

/**
 * All that the rules of access read, as of one moment. Never changed: a change makes a new snapshot, which shares
 * the unchanged rows, so that what was derived from them stays cached.
 */
export type Snapshot = {
  /** Grows with each snapshot of a store. */
  readonly version: number;
  readonly organizations: ReadonlyMap<string, OrganizationRecord>;
  /** By id. */
  readonly integrations: ReadonlyMap<string, IntegrationRecord>;
  readonly integrationsByOrg: ReadonlyMap<string, readonly IntegrationRecord[]>;
  /** Those of scope `global`, which every organization sees. */
  readonly globalIntegrations: readonly IntegrationRecord[];
  /** By hex SHA-256 of the key. */
  readonly virtualKeys: ReadonlyMap<string, VirtualKeyRecord>;
  readonly virtualKeysById: ReadonlyMap<string, VirtualKeyRecord>;
  readonly identityProviders: readonly IdentityProviderRecord[];
  readonly policies: readonly PolicyRecord[];
  readonly policiesByOrg: ReadonlyMap<string, readonly PolicyRecord[]>;
  /** By id. */
  readonly toolGroups: ReadonlyMap<string, ToolGroupRecord>;
  /** By id: the active ones. */
  readonly toolsets: ReadonlyMap<string, ToolsetRecord>;
  /** Sorted by slug. */
  readonly toolsetsByOrg: ReadonlyMap<string, readonly ToolsetRecord[]>;
  /** By id, switched off ones too. */
  readonly agents: ReadonlyMap<string, AgentRecord>;
  /** Ids of deactivated users. */
  readonly inactiveUsers: ReadonlySet<string>;
  /** By integration id, the state of its service user's credential. */
  readonly serviceCredentials: ReadonlyMap<string, CredentialState>;
  /** By integration id. */
  readonly states: ReadonlyMap<string, IntegrationStateRecord>;
  /** By integration id, sorted by the order in which they were first seen (their ids). */
  readonly tools: ReadonlyMap<string, readonly ToolRecord[]>;
  /** Prompts, resources and templates by integration id, in the order of the upstream's lists. */
  readonly features: ReadonlyMap<string, readonly FeatureRecord[]>;
};

/** Indexes the rows. The maps of states and tools are taken over, not copied. */
export function buildSnapshot(rows: SnapshotRows, version: number): Snapshot {
  const toolsets = [...(rows.toolsets ?? [])].sort((a, b) => (a.slug < b.slug ? -1 : 1));
  return {
    version,
    organizations: byKey(rows.organizations, (row) => row.id),
    integrations: byKey(rows.integrations, (row) => row.id),
    integrationsByOrg: Map.groupBy(rows.integrations, (row) => row.orgId),
    globalIntegrations: rows.integrations.filter((row) => row.scope === 'global'),
    virtualKeys: byKey(rows.virtualKeys, (row) => row.keyHash),
    virtualKeysById: byKey(rows.virtualKeys, (row) => row.id),
    identityProviders: rows.identityProviders,
    policies: rows.policies,
    policiesByOrg: Map.groupBy(rows.policies, (row) => row.orgId),
    toolGroups: byKey(rows.toolGroups ?? [], (row) => row.id),
    toolsets: byKey(toolsets, (row) => row.id),
    toolsetsByOrg: Map.groupBy(toolsets, (row) => row.orgId),
    agents: byKey(rows.agents ?? [], (row) => row.id),
    inactiveUsers: rows.inactiveUsers,
    serviceCredentials: rows.serviceCredentials,
    states: rows.states,
    tools: rows.tools,
    features: rows.features ?? new Map(),
  };
}

/** The snapshot as it would be with this agent in it, or with this form of it. Costs little: all else is shared. */
export function withAgent(snapshot: Snapshot, agent: AgentRecord): Snapshot {
  return { ...snapshot, agents: new Map(snapshot.agents).set(agent.id, agent) };
}

function byKey<R>(rows: readonly R[], key: (row: R) => string): Map<string, R> {
  return new Map(rows.map((row) => [key(row), row]));
}
