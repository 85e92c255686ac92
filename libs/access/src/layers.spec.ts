import { describe, expect, it } from '@jest/globals';
import {
  randomFilter,
  randomList,
  randomWorld,
  seeded,
  snapshotOfWorld,
} from '../test-fixtures/random-world.js';
import type { Random, World } from '../test-fixtures/random-world.js';
import { idOf, keyCaller, orgId } from '../test-fixtures/snapshot-builder.js';
import type { Registered } from '../test-fixtures/snapshot-builder.js';
import { callerView } from './caller-view.js';
import { explainMissing } from './explain-missing.js';
import { findTool, resolveTools } from './resolve-tools.js';

const worlds = 200;
const seeds = Array.from({ length: worlds }, (_, seed) => seed);

const resolve = (world: World) => resolveTools(snapshotOfWorld(world), world.caller, world.filters);
const namesOf = (world: World) =>
  new Set(resolve(world).map(({ integration, tool }) => `${integration.id} ${tool.name}`));

/** Each takes something away in one layer; what is left must be a part of what was. */
const narrowings: Record<string, (world: World, random: Random) => World> = {
  'a tool that vanishes': (world, random) =>
    withTools(world, random, (tool) => ({ ...tool, enabled: false })),
  'an admin who switches a tool off': (world, random) =>
    withIntegration(world, random, (one) => ({
      toolOverrides: { ...one.toolOverrides, [random.pick(['read', 'rm', 'a_b'])]: { enabled: false } },
    })),
  'a client config that executes less': (world, random) =>
    withIntegration(world, random, (one) => ({
      toolsToExecute: (one.toolsToExecute ?? ['*']).filter((name) => name !== '*').slice(1),
    })),
  'a client config that skips more': (world, random) =>
    withIntegration(world, random, (one) => ({ toolsToSkip: [...(one.toolsToSkip ?? []), 'read', 'b_c'] })),
  'an integration that is disabled': (world, random) =>
    withIntegration(world, random, () => ({ enabled: false })),
  'an integration that is not available': (world, random) =>
    withIntegration(world, random, () =>
      random.chance(0.5) ? { availableInChat: false } : { availableToAutonomous: false },
    ),
  'an integration that disconnects': (world, random) => {
    const at = random.pick(world.all);
    return replace(world, at, { ...at, state: at.state && { ...at.state, state: 'disconnected' } });
  },
  'a key that loses a config': (world) => ({
    ...world,
    key: { ...world.key, mcpConfigs: world.key.mcpConfigs.slice(1) },
  }),
  'an integration that is pinned': (world, random) =>
    withIntegration(world, random, () => ({ pinned: true })),
  'a pinned tool that changes': (world, random) =>
    withTools(world, random, (tool) => ({ ...tool, pinState: 'changed' })),
  'a policy that denies': (world, random) =>
    withRules(world, { policies: [...world.rules.policies, denial(random)] }),
  'a permission that asks for one claim more': (world, random) =>
    withRules(world, {
      policies: world.rules.policies.map((policy) =>
        policy.effect === 'allow' && random.chance(0.5)
          ? { ...policy, matchers: [...policy.matchers, { path: 'dept', operator: 'EQUALS', value: 'ops' }] }
          : policy,
      ),
    }),
  'a token without claims, where nothing is denied by them': (world) => {
    const policies = world.rules.policies.filter(({ effect }) => effect === 'allow');
    if (policies.length < world.rules.policies.length) return world;
    const { claims: _claims, ...caller } = world.caller;
    return { ...world, caller };
  },
  'a toolset that is taken away': (world) => withRules(world, { toolsets: [] }),
  'a toolset that holds less': (world) =>
    withRules(world, {
      toolsets: world.rules.toolsets.map((one) => ({ ...one, mcpConfigs: one.mcpConfigs.slice(1) })),
    }),
  'a client with which less is shared': (world, random) => {
    const { sharedIntegrationIds: shared } = world.caller;
    const left = random.some(shared ?? world.all.map(({ integration }) => integration.id));
    return { ...world, caller: { ...world.caller, sharedIntegrationIds: left } };
  },
  'a key that is revoked': (world) => ({ ...world, key: { ...world.key, revokedAt: new Date(0) } }),
  'a filter where there was none': (world, random) => ({
    ...world,
    filters: world.filters ?? randomFilter(random),
  }),
  'a filter that includes clients': (world, random) =>
    world.filters?.includeClients || world.filters?.excludeClients
      ? world
      : { ...world, filters: { ...world.filters, includeClients: random.some(['files', 'a', 'mail']) } },
  'a filter that excludes more tools': (world) => ({
    ...world,
    filters: { ...world.filters, excludeTools: [...(world.filters?.excludeTools ?? []), 'files_*'] },
  }),
};

describe('each layer only narrows', () => {
  it.each(Object.entries(narrowings))('%s', (_what, narrow) => {
    const widened = seeds.flatMap((seed) => {
      const random = seeded(seed);
      const world = randomWorld(random);
      const before = namesOf(world);
      const added = [...namesOf(narrow(world, random))].filter((name) => !before.has(name));
      return added.length > 0 ? [{ seed, added }] : [];
    });
    expect(widened).toEqual([]);
  });
});

/** Nothing of these is an admin's edit of what a toolset holds. */
const outsideOfToolsets = Object.entries(narrowings).filter(([what]) => !what.includes('toolset'));

describe('a name never moves to another tool', () => {
  it.each(outsideOfToolsets)('by %s', (_what, narrow) => {
    const moved = seeds.flatMap((seed) => {
      const random = seeded(seed);
      const world = randomWorld(random);
      const before = new Map(resolve(world).map((one) => [one.outwardName, one.tool.id]));
      return resolve(narrow(world, random))
        .filter(({ outwardName, tool }) => before.get(outwardName) !== tool.id)
        .map(({ outwardName }) => ({ seed, outwardName }));
    });
    expect(moved).toEqual([]);
  });
});

describe('findTool agrees with resolveTools', () => {
  it('for every name that any integration has, and for their twins', () => {
    let found = 0;
    for (const seed of seeds) {
      const world = randomWorld(seeded(seed));
      const snapshot = snapshotOfWorld(world);
      const listed = new Map(
        resolveTools(snapshot, world.caller, world.filters).map((tool) => [tool.outwardName, tool]),
      );
      for (const name of candidates(world, [...listed.keys()])) {
        expect(findTool(snapshot, world.caller, name, world.filters)).toBe(listed.get(name));
      }
      found += listed.size;
    }
    expect(found).toBeGreaterThan(worlds);
  });

  it('over names that are unique, sorted and fit for a model provider', () => {
    for (const seed of seeds) {
      const names = resolve(randomWorld(seeded(seed))).map(({ outwardName }) => outwardName);
      expect(names).toEqual([...new Set(names)].sort());
      expect(names.filter((name) => !/^[A-Za-z0-9_-]{1,64}$/.test(name))).toEqual([]);
    }
  });
});

describe('a list of names', () => {
  it('means the same for a client config and for a grant', () => {
    for (const seed of seeds) {
      const random = seeded(seed);
      const { key: given, caller: anyone, all } = randomWorld(random);
      const key = { ...given, userId: null };
      const caller = { ...keyCaller(key), runKind: anyone.runKind };
      const rules = { policies: [], toolGroups: [], toolsets: [] };
      const list = randomList(random);
      const grants = {
        ...key,
        mcpConfigs: all.map(({ integration }) => ({ mcpClientName: integration.slug, toolsToExecute: null })),
      };
      const open = all.map((one) => ({
        ...one,
        integration: { ...one.integration, toolsToExecute: null, toolsToSkip: null },
      }));
      const closed = open.map((one) => ({
        ...one,
        integration: { ...one.integration, toolsToExecute: list },
      }));
      const listed = grants.mcpConfigs.map((config) => ({ ...config, toolsToExecute: list }));
      const byConfig = namesOf({ all: closed, key: grants, rules, caller, filters: undefined });
      const byGrant = namesOf({
        all: open,
        key: { ...grants, mcpConfigs: listed },
        rules,
        caller,
        filters: undefined,
      });
      expect(byGrant).toEqual(byConfig);
    }
  });
});

function candidates({ all }: World, listed: string[]): Set<string> {
  const plain = all.flatMap(({ integration: { slug }, tools }) =>
    tools.flatMap(({ name }) => [name, `${slug}_${name}`, `get-${slug}`, `${slug}_get-${slug}`]),
  );
  return new Set([
    ...plain,
    ...listed,
    ...listed.flatMap((name) => [name.toUpperCase(), name.replace('_', '-'), name.slice(1)]),
  ]);
}

describe('explainMissing', () => {
  it('finds nothing to explain where a tool is found, and speaks of granted integrations alone', () => {
    let explained = 0;
    for (const seed of seeds) {
      const world = randomWorld(seeded(seed));
      const snapshot = snapshotOfWorld(world);
      const granted = new Set(
        callerView(snapshot, world.caller).granted.map(({ integration }) => integration.id),
      );
      const listed = resolveTools(snapshot, world.caller, world.filters).map(
        ({ outwardName }) => outwardName,
      );
      for (const name of candidates(world, listed)) {
        const missing = explainMissing(snapshot, world.caller, name, world.filters);
        if (missing.code === 'tool_not_found') continue;
        expect(listed).not.toContain(name);
        expect(granted).toContain(missing.integrationId);
        explained++;
      }
    }
    expect(explained).toBeGreaterThan(0);
  });
});

function withRules(world: World, rules: Partial<World['rules']>): World {
  return { ...world, rules: { ...world.rules, ...rules } };
}

/** At a priority that some policies are above and some below. */
function denial(random: Random): World['rules']['policies'][number] {
  const toolsToExecute = random.chance(0.5) ? null : ['read', 'files_write'];
  const mcpConfigs = [{ mcpClientName: random.pick(['files', 'mail', 'a']), toolsToExecute }];
  const priority = random.pick([0, 1, 3]);
  return {
    id: idOf('denial'),
    orgId,
    roles: null,
    matchers: [],
    effect: 'deny',
    priority,
    mcpConfigs,
    groupIds: [],
  };
}

function withIntegration(
  world: World,
  random: Random,
  change: (one: Registered['integration']) => Partial<Registered['integration']>,
): World {
  const at = random.pick(world.all);
  return replace(world, at, { ...at, integration: { ...at.integration, ...change(at.integration) } });
}

function withTools(
  world: World,
  random: Random,
  change: (tool: Registered['tools'][number]) => Registered['tools'][number],
): World {
  const at = random.pick(world.all);
  return replace(world, at, {
    ...at,
    tools: at.tools.map((tool) => (random.chance(0.5) ? change(tool) : tool)),
  });
}

function replace(world: World, old: Registered, by: Registered): World {
  return { ...world, all: world.all.map((one) => (one === old ? by : one)) };
}
