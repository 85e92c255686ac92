import { describe, expect, it } from '@jest/globals';
import type { ToolCall } from '@switchyard/contracts';
import { localCaller } from './local-caller.js';

const [orgId, userId, agentId, callId] = [1, 2, 3, 4].map((n) => `0193b7a4-0000-7000-8000-00000000000${n}`);

describe('localCaller', () => {
  const caller = { orgId, userId, agentId, runKind: 'chat', roles: ['admin'], claims: { a: 1 } };
  const call = { callId, caller } as unknown as ToolCall;

  it('says who calls in whose run, and nothing of roles and claims', () => {
    expect(localCaller('local', call)).toEqual({
      ...{ organization_id: orgId, user_id: userId, agent_id: agentId, call_id: callId, run_kind: 'chat' },
    });
  });

  it('says nothing to any other upstream', () => {
    expect(localCaller('external_mcp', call)).toBeUndefined();
  });
});
