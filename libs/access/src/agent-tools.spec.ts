import { describe, expect, it } from '@jest/globals';
import type { CallerContext } from '@switchyard/contracts';
import { randomConfigs, randomWorld, seeded } from '../test-fixtures/random-world.js';
import {
  agent,
  idOf,
  orgId,
  policy,
  registered,
  snapshotOf,
  tokenCaller,
} from '../test-fixtures/snapshot-builder.js';
import type { Registered, ToolFields } from '../test-fixtures/snapshot-builder.js';
import { agentTools, findTool, resolveTools, servedTools, withAgent } from './index.js';
import type { AgentRecord, IntegrationRecord, McpConfig, SnapshotRows } from './index.js';
import { configGrants } from './config-grants.js';
import { integrationsInScope } from './visible-integrations.js';

const wiki = (fields: Partial<IntegrationRecord> = {}, tools: (string | ToolFields)[] = ['read', 'write']) =>
  registered({ slug: 'wiki', ...fields }, tools);
const granted = (tools: string[] | null = null, name = 'wiki'): McpConfig[] => [
  { mcpClientName: name, toolsToExecute: tools },
];
const everyone = { everyone: true, roles: [], userIds: [] };
const helper = (mcpConfigs = granted(), fields: Partial<AgentRecord> = {}) =>
  agent({ slug: 'helper', mcpConfigs, chatAccess: everyone, ...fields });
const chat = (fields: Partial<CallerContext> = {}) =>
  tokenCaller({ runKind: 'chat', agentId: helper().id, ...fields });
const nightly: CallerContext = {
  ...{ kind: 'service', orgId, userId: null, virtualKeyId: null, runKind: 'schedule', roles: [] },
  ...{ hasSubjectToken: false, agentId: helper().id },
};

type World = { all: Registered[]; caller: CallerContext; of?: AgentRecord; rows?: Partial<SnapshotRows> };

function see({ all, caller, of = helper(), rows = {} }: World) {
  const { tools, leftOut } = agentTools(snapshotOf(all, [], { agents: [of], ...rows }), caller);
  const lost = leftOut.map(({ name, integrationSlug, reason }) => `${integrationSlug}: ${name} ${reason}`);
  return { has: tools.map(({ outwardName }) => outwardName), lost };
}

describe('what is left out of the run of an agent', () => {
  const perUser = { authMode: 'authorization_code' } as const;
  const whole = (reason: string) => [`wiki: wiki_read ${reason}`, `wiki: wiki_write ${reason}`];

  it.each<[string, World, string[]]>([
    ['nothing of what is there', { all: [wiki()], caller: nightly }, []],
    ['a schedule has nobody to be', { all: [wiki(perUser)], caller: nightly }, whole('no_identity')],
    ['a user who is there could connect', { all: [wiki(perUser)], caller: chat() }, []],
    [
      'not for runs without a user',
      { all: [wiki({ availableToAutonomous: false })], caller: nightly },
      whole('not_available_to_autonomous'),
    ],
    [
      'not for chats',
      { all: [wiki({ availableInChat: false })], caller: chat() },
      whole('not_available_in_chat'),
    ],
    [
      'switched off integrations',
      { all: [wiki({ enabled: false })], caller: nightly },
      whole('not_connected'),
    ],
    [
      'disconnected ones',
      { all: [registered({ slug: 'wiki' }, ['read'], 'disconnected')], caller: chat() },
      ['wiki: wiki_read not_connected'],
    ],
    [
      'what is shared with no client',
      { all: [wiki()], caller: chat({ sharedIntegrationIds: [] }) },
      whole('not_shared'),
    ],
    [
      'what hides a tool comes before why the rest is not there',
      { all: [wiki({ toolsToSkip: ['write'], enabled: false })], caller: nightly },
      ['wiki: wiki_read not_connected', 'wiki: wiki_write hidden'],
    ],
    [
      'tools that are gone, and those that wait for an admin',
      {
        all: [
          wiki({ pinned: true }, [
            { name: 'read', enabled: false },
            { name: 'write', pinState: 'changed' },
          ]),
        ],
        caller: nightly,
      },
      ['wiki: wiki_read hidden', 'wiki: wiki_write not_approved'],
    ],
    [
      'only what is granted is spoken of',
      { all: [wiki(perUser)], caller: nightly, of: helper(granted(['write', 'gone', 'wiki_lost'])) },
      ['wiki: wiki_gone unknown_tool', 'wiki: wiki_lost unknown_tool', 'wiki: wiki_write no_identity'],
    ],
    ['no grant, no loss', { all: [wiki(perUser)], caller: nightly, of: helper(granted([])) }, []],
    [
      'a client that nobody registered, as it was written',
      { all: [], caller: nightly, of: helper(granted(null, 'web_search')) },
      ['web-search: web_search unknown_integration'],
    ],
    [
      'an integration of users, by its name alone: its tools are theirs',
      { all: [wiki({ scope: 'user', ownerUserId: idOf('me') }, ['secret_plan'])], caller: nightly },
      ['wiki: wiki user_scoped'],
    ],
    [
      'an integration of which no tool is known yet',
      { all: [registered({ slug: 'wiki', ...perUser }, [], 'connecting')], caller: nightly },
      ['wiki: wiki no_identity'],
    ],
    [
      'the named tools of such a one',
      {
        all: [registered({ slug: 'wiki' }, [], 'connecting')],
        caller: nightly,
        of: helper(granted(['read'])),
      },
      ['wiki: wiki_read not_connected'],
    ],
    ['an empty server that answers loses nothing', { all: [wiki({}, [])], caller: nightly }, []],
  ])('%s', (_what, world, lost) => {
    expect(see(world).lost).toEqual(lost);
  });

  it('is what a policy denies the user who chats', () => {
    const denial = policy({ effect: 'deny', mcpConfigs: granted(['write']) });
    const all = [wiki()];
    const rows = { policies: [denial] };
    expect(see({ all, caller: chat(), rows })).toEqual({
      has: ['wiki_read'],
      lost: ['wiki: wiki_write denied_by_policy'],
    });
    expect(see({ all, caller: nightly, rows }).lost).toEqual([]);
    const unlisted = [registered({ slug: 'wiki' }, [], 'connecting')];
    const all_ = { policies: [policy({ effect: 'deny', mcpConfigs: granted() })] };
    expect(see({ all: unlisted, caller: chat(), rows: all_ }).lost).toEqual(['wiki: wiki denied_by_policy']);
  });

  it('adds up what several configs of one client name', () => {
    const of = helper([...granted(['read']), ...granted(['write', 'gone'])]);
    expect(see({ all: [wiki()], caller: nightly, of })).toEqual({
      has: ['wiki_read', 'wiki_write'],
      lost: ['wiki: wiki_gone unknown_tool'],
    });
  });

  it('says nothing to who may not use the agent', () => {
    const all = [wiki({ enabled: false })];
    const closed = helper(granted(), { chatAccess: { everyone: false, roles: [], userIds: [] } });
    expect(see({ all, caller: chat(), of: closed }).lost).toEqual([]);
    expect(see({ all, caller: { ...nightly, orgId: idOf('other') } }).lost).toEqual([]);
    expect(see({ all, caller: chat(), rows: { inactiveUsers: new Set([idOf('me')]) } }).lost).toEqual([]);
    const { agentId: _agentId, ...noAgent } = nightly;
    expect(see({ all, caller: noAgent }).lost).toEqual([]);
  });
});

describe('in any world', () => {
  const kinds = ['chat', 'schedule', 'webhook'] as const;

  it('the tools are those of resolveTools, and each other tool of a grant is left out once, with a reason', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 400; seed++) {
      const random = seeded(seed);
      const { all, rules } = randomWorld(random);
      const of = helper(randomConfigs(random));
      const runKind = random.pick(kinds);
      const caller =
        runKind === 'chat' ? chat({ roles: random.some(['dev', 'ops']) }) : { ...nightly, runKind };
      const snapshot = snapshotOf(all, [], { ...rules, agents: [of] });
      const { tools, leftOut } = agentTools(snapshot, caller);

      expect(tools).toBe(resolveTools(snapshot, caller));
      const names = leftOut.map(({ name }) => name);
      expect(names).toEqual([...new Set(names)].sort());
      for (const name of names) expect(findTool(snapshot, caller, name)).toBeUndefined();
      const grants = configGrants(of.mcpConfigs);
      const spokenOf = new Set([...names, ...tools.map(({ outwardName }) => outwardName)]);
      for (const integration of integrationsInScope(snapshot, caller))
        for (const resolved of servedTools(snapshot, integration).discovered)
          if (grants(integration.slug).tool(resolved)) expect(spokenOf).toContain(resolved.outwardName);
      leftOut.forEach(({ reason }) => seen.add(reason));
    }
    expect(seen.size).toBeGreaterThanOrEqual(9);
  });

  it('a snapshot with an agent in another form leaves the old one as it was', () => {
    const before = snapshotOf([wiki()], [], { agents: [helper()] });
    const after = withAgent(before, helper(granted(['read'])));
    expect(agentTools(after, nightly).tools).toHaveLength(1);
    expect(agentTools(before, nightly).tools).toHaveLength(2);
  });
});
