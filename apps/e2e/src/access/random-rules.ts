/** Seeded rules of access, as an admin would send them: the same seed is the same set. */

export type Random = {
  chance(p: number): boolean;
  some<T>(from: readonly T[]): T[];
  pick<T>(from: readonly T[]): T;
};

export type Rules = {
  readonly policies: readonly Record<string, unknown>[];
  readonly keyConfigs: readonly Record<string, unknown>[];
  readonly toolset: Record<string, unknown>;
  readonly filter: Filter | undefined;
};

/** Lists by the name that queries and headers share; absent is no filter, empty allows nothing. */
export type Filter = Partial<
  Record<'include_clients' | 'exclude_clients' | 'include_tools' | 'exclude_tools', string[]>
>;

/** mulberry32. */
export function seeded(seed: number): Random {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const chance = (p: number): boolean => next() < p;
  return {
    chance,
    some: (from) => from.filter(() => chance(0.5)),
    pick: <T>(from: readonly T[]) => from[Math.floor(next() * from.length)] as T,
  };
}

const tools = ['echo', 'add', 'whoami', 'safe-read', 'count-side-effect'];

export function randomRules(random: Random, slugs: readonly string[]): Rules {
  const configs = (): Record<string, unknown>[] =>
    random.some(slugs).map((slug) => ({
      mcp_client_name: slug,
      tools_to_execute: random.chance(0.3) ? ['*'] : random.some(tools),
    }));
  return {
    policies: Array.from({ length: 3 }, (_, at) => ({
      name: `random ${at}`,
      roles: random.chance(0.3) ? ['ops'] : null,
      matchers: random.chance(0.6) ? [randomMatcher(random)] : [],
      effect: random.chance(0.3) ? 'deny' : 'allow',
      priority: random.pick([0, 0, 10]),
      mcp_configs: configs(),
    })),
    keyConfigs: configs(),
    toolset: {
      prefix: random.chance(0.5),
      mcp_configs: configs().map((config) => ({
        ...config,
        ...(random.chance(0.5) && { tools: { echo: { name: `say-${String(config['mcp_client_name'])}` } } }),
      })),
    },
    filter: random.chance(0.6) ? randomFilter(random, slugs) : undefined,
  };
}

function randomMatcher(random: Random): Record<string, unknown> {
  return random.pick([
    { path: 'department', operator: 'EQUALS', value: 'sales' },
    { path: 'department', operator: 'NOT_EQUALS', value: 'sales' },
    { path: 'org.teams', operator: 'CONTAINS', value: 'night' },
    { path: 'department', operator: 'MATCHES', value: '^(sales|ops)$' },
    { path: 'level', operator: 'EXISTS' },
    { path: 'level', operator: 'IN', value: [3, 4] },
  ]);
}

function randomFilter(random: Random, slugs: readonly string[]): Filter {
  const names = ['include_clients', 'exclude_clients', 'include_tools', 'exclude_tools'] as const;
  const outward = slugs.flatMap((slug) => [`${slug}_echo`, `${slug}_add`, `${slug}_*`]);
  const chosen = names.filter(() => random.chance(0.35));
  return Object.fromEntries(
    chosen.map((name) => [name, random.some(name.endsWith('clients') ? slugs : outward)]),
  );
}
