import { isDeepStrictEqual } from 'node:util';
import type { Snapshot, SnapshotRows } from './snapshot.js';

/** What moved between two snapshots. */
export type SnapshotChange = {
  /** Whether anything changed, came or went that decides what callers may do. */
  readonly registry: boolean;
  /** Integrations whose registration, state, tools, prompts or resources changed, came or went. */
  readonly integrations: readonly string[];
  /** Virtual keys that worked before and are now revoked or gone: drop what they hold. */
  readonly revokedKeys: readonly string[];
};

/** Compares by identity: give rows that went through `keepUnchanged`. */
export function compareSnapshots(before: Snapshot, after: Snapshot): SnapshotChange {
  const records = changedKeys(before.integrations, after.integrations);
  const states = changedKeys(before.states, after.states);
  const tools = changedKeys(before.tools, after.tools);
  const features = changedKeys(before.features, after.features);
  const keys = changedKeys(before.virtualKeysById, after.virtualKeysById);
  const organizations = changedKeys(before.organizations, after.organizations);
  return {
    registry: records.length + keys.length + organizations.length > 0 || movedSets(before, after),
    integrations: [...new Set([...records, ...states, ...tools, ...features])],
    revokedKeys: keys.filter((id) => isUsable(before, id) && !isUsable(after, id)),
  };
}

/** The small sets, which a store replaces only when they differ, and what tools are bundled by. */
function movedSets(before: Snapshot, after: Snapshot): boolean {
  const sets = ['identityProviders', 'policies', 'inactiveUsers', 'serviceCredentials'] as const;
  const isMoved = sets.some((set) => before[set] !== after[set]);
  const maps = [
    changedKeys(before.toolGroups, after.toolGroups),
    changedKeys(before.toolsets, after.toolsets),
    changedKeys(before.agents, after.agents),
  ];
  return isMoved || maps.flat().length > 0;
}

/** Whether anything moved at all. */
export function isChange(change: SnapshotChange): boolean {
  return change.registry || change.integrations.length > 0;
}

/** The fresh rows, with the old object wherever nothing in it changed, so that what hangs on it stays cached. */
export function keepUnchanged<R>(
  before: ReadonlyMap<string, R>,
  fresh: readonly R[],
  keyOf: (row: R) => string,
): R[] {
  return fresh.map((row) => {
    const old = before.get(keyOf(row));
    return old !== undefined && isDeepStrictEqual(old, row) ? old : row;
  });
}

/** `fresh`, or `before` where nothing in it differs. */
export function keepEqual<T>(before: T, fresh: T): T {
  return isDeepStrictEqual(before, fresh) ? before : fresh;
}

/** The rows of the snapshot, to build the next one from. */
export function rowsOf(snapshot: Snapshot): SnapshotRows {
  return {
    organizations: [...snapshot.organizations.values()],
    integrations: [...snapshot.integrations.values()],
    virtualKeys: [...snapshot.virtualKeysById.values()],
    identityProviders: snapshot.identityProviders,
    policies: snapshot.policies,
    toolGroups: [...snapshot.toolGroups.values()],
    toolsets: [...snapshot.toolsets.values()],
    agents: [...snapshot.agents.values()],
    inactiveUsers: snapshot.inactiveUsers,
    serviceCredentials: snapshot.serviceCredentials,
    states: snapshot.states,
    tools: snapshot.tools,
    features: snapshot.features,
  };
}

function changedKeys<R>(before: ReadonlyMap<string, R>, after: ReadonlyMap<string, R>): string[] {
  const gone = [...before.keys()].filter((key) => !after.has(key));
  return [...gone, ...[...after].filter(([key, row]) => before.get(key) !== row).map(([key]) => key)];
}

function isUsable(snapshot: Snapshot, keyId: string): boolean {
  const key = snapshot.virtualKeysById.get(keyId);
  return key !== undefined && !key.revokedAt;
}
