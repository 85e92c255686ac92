/** A small seeded generator of worlds for property tests: the same seed is the same world. */
import type { CallerContext } from '@switchyard/contracts';
import type {
  IntegrationRecord,
  IntegrationStateRecord,
  McpConfig,
  PinState,
  PolicyRecord,
  RequestFilter,
  Snapshot,
  ToolGroupRecord,
  ToolsetConfig,
  ToolsetRecord,
  VirtualKeyRecord,
} from '../src/index.js';
import {
  idOf,
  keyCaller,
  orgId,
  registered,
  snapshotOf,
  userCaller,
  virtualKey,
} from './snapshot-builder.js';
import type { Registered } from './snapshot-builder.js';

export type World = {
  all: Registered[];
  key: VirtualKeyRecord;
  rules: { policies: PolicyRecord[]; toolGroups: ToolGroupRecord[]; toolsets: ToolsetRecord[] };
  caller: CallerContext;
  filters: RequestFilter | undefined;
};
export type Random = {
  chance(p: number): boolean;
  pick<T>(from: readonly T[]): T;
  some<T>(from: readonly T[]): T[];
};

/** mulberry32. */
export function seeded(seed: number): Random {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const chance = (p: number) => next() < p;
  return {
    chance,
    pick: (from) => from[Math.floor(next() * from.length)] as (typeof from)[number],
    some: (from) => from.filter(() => chance(0.5)),
  };
}

const slugs = ['files', 'web-search', 'mail', 'a', 'a-b'];
const toolNames = ['read', 'write', 'a.b', 'a_b', 'rm', 'b_c', 'x'.repeat(70), `${'x'.repeat(70)}y`];
const me = idOf('me');
const states: IntegrationStateRecord['state'][] = [
  'connected',
  'connected',
  'connected',
  'unstable',
  'connecting',
  'disconnected',
];

export function randomWorld(random: Random): World {
  const all = distinct(Array.from({ length: 8 }, () => randomIntegration(random)));
  const mcpConfigs = randomConfigs(random);
  const unowned = virtualKey({ mcpConfigs });
  const rules = randomRules(random, unowned);
  const caller = narrowed(random, all, randomCaller(random, unowned));
  const key = caller.virtualKeyId ? { ...unowned, userId: caller.userId } : unowned;
  const toolset = rules.toolsets[0];
  const at = toolset && random.chance(0.4) ? { toolsetId: toolset.id } : {};
  const filters = random.chance(0.5) ? randomFilter(random) : undefined;
  return { all, key, rules, caller: { ...caller, ...at }, filters };
}

export function snapshotOfWorld({ all, key, rules }: World): Snapshot {
  return snapshotOf(all, [key], rules);
}

function randomCaller(random: Random, key: VirtualKeyRecord): CallerContext {
  const runKind = random.pick(['mcp', 'chat', 'schedule', 'async_api'] as const);
  if (random.chance(0.3)) return keyCaller(key, runKind);
  const user = userCaller(key, random.pick([me, idOf('you')]), runKind);
  if (random.chance(0.4)) return user;
  const claims = { dept: random.pick(['sales', 'ops']), teams: random.some(['a', 'b']) };
  return { ...user, virtualKeyId: null, roles: random.some(['dev', 'ops']), claims };
}

function narrowed(random: Random, all: readonly Registered[], caller: CallerContext): CallerContext {
  if (caller.kind !== 'user' || random.chance(0.8)) return caller;
  return { ...caller, sharedIntegrationIds: random.some(all.map(({ integration }) => integration.id)) };
}

export function randomConfigs(random: Random): McpConfig[] {
  return random
    .some([...slugs, 'web_search'])
    .map((mcpClientName) => ({ mcpClientName, toolsToExecute: randomList(random) }));
}

function randomRules(random: Random, key: VirtualKeyRecord): World['rules'] {
  const toolGroups = ['g1', 'g2'].map((name) => randomGroup(random, name));
  const policies = Array.from({ length: 4 }, (_, at) => randomPolicy(random, `policy ${at}`, toolGroups));
  const toolsets = ['t1', 't2'].map((slug) => randomToolset(random, slug, key));
  return { toolGroups, policies, toolsets };
}

function randomGroup(random: Random, name: string): ToolGroupRecord {
  const client = random.pick([undefined, 'a*', 'regex:(files|mail)', 'web-search']);
  const tool = random.pick([undefined, '*_b', 'r*', 'regex:[a-z]+', 'files_read']);
  const selectors = client || tool ? [{ ...(client && { client }), ...(tool && { tool }) }] : [];
  const [include, exclude] = [random.some(['mail_rm', 'a_read']), random.some(['files_write', 'a_read'])];
  return { id: idOf(name), orgId, selectors, include, exclude };
}

export function randomPolicy(random: Random, name: string, groups: readonly ToolGroupRecord[]): PolicyRecord {
  const matcher = random.pick([
    { path: 'dept', operator: 'EQUALS', value: 'sales' },
    { path: 'teams', operator: 'CONTAINS', value: 'a' },
    { path: 'teams', operator: 'NOT_CONTAINS', value: 'b' },
    { path: 'dept', operator: 'MATCHES', value: 'o.*' },
    { path: 'absent', operator: 'NOT_IN', value: ['x'] },
  ] as const);
  return {
    ...{ id: idOf(name), orgId },
    roles: random.chance(0.3) ? random.some(['dev', 'ops']) : null,
    matchers: random.chance(0.5) ? [matcher] : [],
    effect: random.chance(0.25) ? 'deny' : 'allow',
    priority: random.pick([0, 0, 1, 2]),
    mcpConfigs: randomConfigs(random),
    groupIds: random.some(groups.map(({ id }) => id)),
  };
}

function overrides({ mcpClientName }: McpConfig): ToolsetConfig['tools'] {
  return { read: { name: `get-${mcpClientName}`, description: 'Gets.' } };
}

function randomToolset(random: Random, slug: string, key: VirtualKeyRecord): ToolsetRecord {
  return {
    ...{ id: idOf(slug), orgId, slug, name: slug, description: null, toolMode: 'all' },
    prefix: random.chance(0.5),
    mcpConfigs: randomConfigs(random).map((config) => ({
      ...config,
      tools: random.chance(0.3) ? overrides(config) : {},
    })),
    virtualKeyIds: random.chance(0.6) ? [key.id] : [],
    userIds: random.some([me]),
    roles: random.some(['dev']),
  };
}

export function randomFilter(random: Random): RequestFilter {
  const clients = () => (random.chance(0.5) ? random.some([...slugs, 'web_search']) : undefined);
  const tools = () =>
    random.chance(0.4) ? random.some(['files_read', 'a_*', 'mail-*', 'a-b_b_c', 'a_b_c']) : undefined;
  return {
    includeClients: clients(),
    excludeClients: clients(),
    includeTools: tools(),
    excludeTools: tools(),
  };
}

export function randomList(random: Random): string[] | null {
  return random.chance(0.4) ? null : random.chance(0.3) ? ['*'] : random.some([...toolNames, 'files_read']);
}

function randomIntegration(random: Random): Registered {
  const scope = random.pick(['global', 'organization', 'organization', 'user'] as const);
  const fields: Partial<IntegrationRecord> & { slug: string } = {
    slug: random.pick(slugs),
    scope,
    orgId: scope === 'global' ? idOf('operator') : random.pick([orgId, orgId, idOf('others')]),
    ownerUserId: scope === 'user' ? random.pick([me, idOf('you')]) : null,
    toolsToExecute: randomList(random),
    toolsToSkip: random.chance(0.5) ? random.some(toolNames) : null,
    availableInChat: random.chance(0.8),
    availableToAutonomous: random.chance(0.8),
    enabled: random.chance(0.9),
    pinned: random.chance(0.3),
    toolOverrides: Object.fromEntries(
      random.some(toolNames).map((name) => [name, { enabled: random.chance(0.8) }]),
    ),
  };
  const pins: PinState[] = ['approved', 'approved', 'pending', 'changed'];
  const tools = random
    .some(toolNames)
    .map((name) => ({ name, enabled: random.chance(0.9), pinState: random.pick(pins) }));
  return registered(fields, tools, random.pick(states));
}

/** Slugs are unique within an organization, a scope and an owner. */
function distinct(all: Registered[]): Registered[] {
  return [...new Map(all.map((one) => [one.integration.id, one])).values()];
}
