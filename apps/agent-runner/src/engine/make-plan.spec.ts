import { describe, expect, it } from '@jest/globals';
import { AgentDefinition, type CallerContext, type ExecutionMode } from '@switchyard/contracts';
import type { OfferedTool } from '../ports/tool-planner.js';
import { executionModeOf, makePlan } from './make-plan.js';

const id = '00000000-0000-4000-8000-000000000001';
const tool = (outwardName: string, execution: ExecutionMode | null = null) =>
  ({ outwardName, execution }) as OfferedTool;

function agent(execution: object = {}, more: object = {}) {
  return AgentDefinition.parse({
    ...{ id, orgId: id, slug: 'a', name: 'A', instructions: '', grants: [], execution },
    ...{ model: { provider: 'openai', model: 'm' }, isActive: true, version: 1, ...more },
  });
}

describe('executionModeOf', () => {
  it.each([
    [{ tools: { a: 'auto_execute' }, default: 'require_approval' }, 'require_approval', 'auto_execute'],
    [{ tools: { b: 'auto_execute' }, default: 'require_approval' }, 'auto_execute', 'require_approval'],
    [{}, 'auto_execute', 'auto_execute'],
    [{}, null, 'require_approval'],
  ] as const)('policy %j, integration %s: %s', (execution, ofIntegration, expected) => {
    expect(executionModeOf(agent(execution), tool('a', ofIntegration))).toBe(expected);
  });

  it('takes no name of an object’s own for a policy', () => {
    expect(executionModeOf(agent(), tool('constructor'))).toBe('require_approval');
  });
});

describe('makePlan', () => {
  const offer = {
    tools: [tool('a', 'auto_execute'), tool('b')],
    leftOut: [{ name: 'c', reason: 'not_granted' }],
  };
  const caller = (runKind: string) => ({ runKind }) as CallerContext;

  it('offers tools that need approval only where somebody is there, or the run may wait', () => {
    const names = (runKind: string, more = {}) =>
      makePlan(caller(runKind), agent({}, more), offer).tools.map(({ outwardName }) => outwardName);
    expect(names('chat')).toEqual(['a', 'b']);
    expect(names('schedule')).toEqual(['a']);
    expect(names('webhook', { unattendedApproval: 'park' })).toEqual(['a', 'b']);
  });

  it('says what it left out, and why', () => {
    expect(makePlan(caller('webhook'), agent(), offer).leftOut).toEqual([
      { name: 'c', reason: 'not_granted' },
      { name: 'b', reason: 'approval_required' },
    ]);
  });
});
