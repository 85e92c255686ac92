import { describe, expect, it } from '@jest/globals';
import { ApprovalTerms, type CallerContext } from '@switchyard/contracts';
import {
  agent,
  idOf,
  orgId,
  policy,
  registered,
  snapshotOf,
  tokenCaller,
} from '../test-fixtures/snapshot-builder.js';
import { executionPolicy, findTool, resolveTools } from './index.js';
import type { AgentRecord, Snapshot } from './index.js';

const wiki = (fields = {}) => registered({ slug: 'wiki', ...fields }, ['read', 'write']);
const granted = [{ mcpClientName: 'wiki', toolsToExecute: null }];
const everyone = { everyone: true, roles: [], userIds: [] };
const helper = (fields: Partial<AgentRecord> = {}) =>
  agent({ slug: 'helper', mcpConfigs: granted, chatAccess: everyone, ...fields });
const chat = (of: AgentRecord, fields: Partial<CallerContext> = {}) =>
  tokenCaller({ runKind: 'chat', agentId: of.id, ...fields });
const nightly = (of: AgentRecord): CallerContext => ({
  ...{ kind: 'service', orgId, userId: null, virtualKeyId: null, runKind: 'schedule', roles: [] },
  ...{ hasSubjectToken: false, agentId: of.id },
});
const names = (snapshot: Snapshot, caller: CallerContext) =>
  resolveTools(snapshot, caller).map(({ outwardName }) => outwardName);
const withAgent = (of: AgentRecord, fields = {}, rows = {}) =>
  snapshotOf([wiki(fields)], [], { agents: [of], ...rows });

describe('the run of an agent', () => {
  it('has what the agent was granted, whoever is there', () => {
    const whole = helper();
    expect(names(withAgent(whole), chat(whole))).toEqual(['wiki_read', 'wiki_write']);
    expect(names(withAgent(whole), nightly(whole))).toEqual(['wiki_read', 'wiki_write']);
    const narrow = helper({ mcpConfigs: [{ mcpClientName: 'wiki', toolsToExecute: ['read'] }] });
    expect(names(withAgent(narrow), chat(narrow))).toEqual(['wiki_read']);
    const none = helper({ mcpConfigs: [] });
    expect(names(withAgent(none), nightly(none))).toEqual([]);
  });

  it.each<[string, Partial<AgentRecord>]>([
    ['that is switched off', { isActive: false }],
    ['of another organization', { orgId: idOf('other') }],
    ['with which the user may not chat', { chatAccess: { everyone: false, roles: ['ops'], userIds: [] } }],
  ])('has nothing of an agent %s', (_what, fields) => {
    const one = helper(fields);
    expect(names(withAgent(one), chat(one))).toEqual([]);
  });

  it('is open to the users that are named, by id or role', () => {
    const one = helper({ chatAccess: { everyone: false, roles: ['ops'], userIds: [idOf('me')] } });
    expect(names(withAgent(one), chat(one))).toHaveLength(2);
    expect(names(withAgent(one), chat(one, { userId: idOf('you'), roles: ['ops'] }))).toHaveLength(2);
    expect(names(withAgent(one), chat(one, { userId: idOf('you') }))).toEqual([]);
  });

  it('has nothing of an agent that is not there, and no virtual key lends it more', () => {
    const one = helper();
    expect(names(snapshotOf([wiki()]), chat(one))).toEqual([]);
    expect(names(withAgent(one), chat(one, { virtualKeyId: idOf('key') }))).toEqual([]);
  });

  it('loses to its user what a policy denies them, and to nobody else', () => {
    const one = helper();
    const denial = policy({
      effect: 'deny',
      mcpConfigs: [{ mcpClientName: 'wiki', toolsToExecute: ['write'] }],
    });
    const snapshot = withAgent(one, {}, { policies: [denial] });
    expect(names(snapshot, chat(one))).toEqual(['wiki_read']);
    expect(names(snapshot, nightly(one))).toEqual(['wiki_read', 'wiki_write']);
  });
});

describe('the execution policy', () => {
  const of = (one: AgentRecord | null, fields = {}, tool = 'wiki_write') => {
    const snapshot = one ? withAgent(one, fields) : snapshotOf([wiki(fields)], [], { policies: [all] });
    const caller = one ? chat(one) : tokenCaller();
    const resolved = findTool(snapshot, caller, tool);
    if (!resolved) throw new Error('it is not there');
    return executionPolicy(snapshot, caller, resolved);
  };
  const all = policy({ mcpConfigs: granted });
  const said = (policyOf: 'auto_execute' | 'require_approval') => ({ write: { policy: policyOf } });
  const auto = { default: 'auto_execute', tools: {} } as const;

  it('of an agent is approval unless somebody says otherwise; a word about the tool beats one about all', () => {
    expect(of(helper()).mode).toBe('require_approval');
    expect(of(helper(), { defaultPolicy: 'auto_execute' }).mode).toBe('auto_execute');
    expect(of(helper({ execution: auto }), { defaultPolicy: 'require_approval' }).mode).toBe('auto_execute');
    expect(of(helper({ execution: auto }), { toolOverrides: said('require_approval') }).mode).toBe(
      'require_approval',
    );
    const own = helper({ execution: { default: 'require_approval', tools: { wiki_write: 'auto_execute' } } });
    expect(of(own, { toolOverrides: said('require_approval') }).mode).toBe('auto_execute');
  });

  it('says whose word it is', () => {
    const whose = (...made: Parameters<typeof of>) => of(...made).decidedBy;
    const own = { default: null, tools: { wiki_write: 'auto_execute' } } as const;
    expect(whose(helper({ execution: own }), { toolOverrides: said('auto_execute') })).toBe('agent_tool');
    expect(whose(helper({ execution: auto }), { toolOverrides: said('auto_execute') })).toBe(
      'integration_tool',
    );
    expect(whose(helper({ execution: auto }), { defaultPolicy: 'auto_execute' })).toBe('agent_default');
    expect(whose(helper(), { defaultPolicy: 'auto_execute' })).toBe('integration_default');
    expect(whose(helper())).toBe('platform_default');
    expect(whose(null)).toBe('host');
  });

  it('outside of an agent is the host’s to ask, unless the integration says that the platform does', () => {
    expect(of(null, { defaultPolicy: 'require_approval' }).mode).toBe('auto_execute');
    expect(of(null, { approvalOnGateway: 'platform' }).mode).toBe('require_approval');
    expect(of(null, { approvalOnGateway: 'platform', toolOverrides: said('auto_execute') }).mode).toBe(
      'auto_execute',
    );
  });

  it('changes its version with what an approval depends on, and with nothing else', () => {
    const { version } = of(helper());
    expect(of(helper()).version).toBe(version);
    expect(of(helper({ version: 2, name: 'Other' }), { version: 2, name: 'Other' }).version).toBe(version);
    expect(of(helper({ execution: auto })).version).not.toBe(version);
    expect(of(helper({ mcpConfigs: [...granted, ...granted] })).version).not.toBe(version);
    const approval = ApprovalTerms.parse({ selfApproval: false });
    expect(of(helper({ approval })).version).not.toBe(version);
    const moved = { transport: { type: 'http', url: 'https://elsewhere.example.com/' } };
    const changes = [
      moved,
      { defaultPolicy: 'require_approval' },
      { toolOverrides: said('require_approval') },
    ];
    for (const change of changes) expect(of(helper(), change).version).not.toBe(version);
    expect(of(helper(), {}, 'wiki_read').version).not.toBe(version);
  });

  it('believes the author of a tool only where the operator put it there', () => {
    const tools = (kind: string) => {
      const one = registered({ slug: 'wiki', kind }, ['write']);
      const [tool] = one.tools;
      if (tool)
        one.tools[0] = { ...tool, wire: { ...tool.wire, _meta: { 'io.switchyard/policy': 'auto_execute' } } };
      const snapshot = snapshotOf([one], [], { agents: [helper()] });
      const resolved = findTool(snapshot, chat(helper()), 'wiki_write');
      return resolved && executionPolicy(snapshot, chat(helper()), resolved).mode;
    };
    expect(tools('local')).toBe('auto_execute');
    expect(tools('external_mcp')).toBe('require_approval');
  });
});
