/** A small seeded generator of worlds for property tests: the same seed is the same world. */
import type { CallerContext } from '@switchyard/contracts';
import type {
  IntegrationRecord,
  IntegrationStateRecord,
  RequestFilter,
  VirtualKeyRecord,
} from '../src/index.js';
import { idOf, keyCaller, orgId, registered, userCaller, virtualKey } from './snapshot-builder.js';
import type { Registered } from './snapshot-builder.js';

export type World = {
  all: Registered[];
  key: VirtualKeyRecord;
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
  const mcpConfigs = random
    .some([...slugs, 'web_search'])
    .map((mcpClientName) => ({ mcpClientName, toolsToExecute: randomList(random) }));
  const key = virtualKey({ mcpConfigs });
  const runKind = random.pick(['mcp', 'chat', 'schedule', 'async_api'] as const);
  const caller = random.chance(0.5)
    ? keyCaller(key, runKind)
    : userCaller(key, random.pick([me, idOf('you')]), runKind);
  return {
    all,
    key: { ...key, userId: caller.userId },
    caller,
    filters: random.chance(0.5) ? randomFilter(random) : undefined,
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
    toolOverrides: Object.fromEntries(
      random.some(toolNames).map((name) => [name, { enabled: random.chance(0.8) }]),
    ),
  };
  const tools = random.some(toolNames).map((name) => ({ name, enabled: random.chance(0.9) }));
  return registered(fields, tools, random.pick(states));
}

/** Slugs are unique within an organization, a scope and an owner. */
function distinct(all: Registered[]): Registered[] {
  return [...new Map(all.map((one) => [one.integration.id, one])).values()];
}
