import type { CallerContext } from '@switchyard/contracts';
import { configGrants, everything, type Grant, type Grants, nothing, union } from './config-grants.js';
import type { ToolsetRecord } from './grant-records.js';
import {
  heldPolicies,
  type PolicyDecision,
  policyDecisions,
  type PolicyDecisions,
} from './policy-decision.js';
import { mayChat } from './may-chat.js';
import type { AgentRecord } from './records.js';
import type { Snapshot } from './snapshot.js';
import { attachedToolsets } from './toolsets.js';

/** What the rules for a caller are, before any integration is looked at. */
export type CallerGrants = {
  readonly of: Grants;
  /** At the address of a toolset: it alone is granted, under its names. */
  readonly toolset?: ToolsetRecord;
};

const none: CallerGrants = { of: () => nothing };

/**
 * What the caller was granted. A virtual key has what its `mcp_configs` name, and without them nothing; a revoked or
 * unknown one has nothing, nor has one of another user than the caller. A user without a key has what the policies allow
 * them. To both come the toolsets that are attached to them, but never what a policy denies the user. At the address of
 * a toolset there is that toolset, for those to whom it is attached. Anonymous callers have everything that their other
 * layers leave, and no toolset. In the run of an agent there is what the agent was granted, less what a policy denies the
 * user who chats with it, and nothing for users who may not.
 */
export function callerGrants(snapshot: Snapshot, caller: CallerContext): CallerGrants {
  if (caller.userId !== null && snapshot.inactiveUsers.has(caller.userId)) return none;
  if (caller.agentId !== undefined) return agentGrants(snapshot, caller);
  if (caller.kind === 'anonymous') return caller.toolsetId ? none : { of: () => everything };
  const own = caller.virtualKeyId === null ? userGrants(snapshot, caller) : keyGrants(snapshot, caller);
  return own ? withToolsets(snapshot, caller, own) : none;
}

/** The agent in whose run the caller may call, if there is one. */
export function agentOf(snapshot: Snapshot, caller: CallerContext): AgentRecord | undefined {
  const { kind, userId, virtualKeyId, orgId } = caller;
  const agent = snapshot.agents.get(caller.agentId ?? '');
  if (!agent?.isActive || agent.orgId !== orgId || virtualKeyId !== null) return undefined;
  if (userId !== null && snapshot.inactiveUsers.has(userId)) return undefined;
  return kind !== 'user' || mayChat(agent, caller) ? agent : undefined;
}

function agentGrants(snapshot: Snapshot, caller: CallerContext): CallerGrants {
  const agent = agentOf(snapshot, caller);
  if (!agent) return none;
  const granted = configGrants(agent.mcpConfigs);
  const held = caller.kind === 'user' ? heldPolicies(snapshot, caller) : [];
  const policies = policyDecisions(snapshot, held);
  return { of: (slug) => withoutDenied(granted(slug), policies(slug)) };
}

type OwnGrants = { readonly of: Grants; readonly policies: PolicyDecisions };

function withToolsets(snapshot: Snapshot, caller: CallerContext, own: OwnGrants): CallerGrants {
  const attached = attachedToolsets(snapshot, caller);
  const toolset = attached.find(({ id }) => id === caller.toolsetId);
  if (caller.toolsetId && !toolset) return none;
  const bundled = configGrants((toolset ? [toolset] : attached).flatMap(({ mcpConfigs }) => mcpConfigs));
  const of: Grants = (slug) =>
    toolset
      ? withoutDenied(bundled(slug), own.policies(slug))
      : union(own.of(slug), withoutDenied(bundled(slug), own.policies(slug)));
  return toolset ? { of, toolset } : { of };
}

function keyGrants(snapshot: Snapshot, caller: CallerContext): OwnGrants | undefined {
  const key = snapshot.virtualKeysById.get(caller.virtualKeyId ?? '');
  const isValid = key && !key.revokedAt && key.orgId === caller.orgId && key.userId === caller.userId;
  return isValid ? { of: configGrants(key.mcpConfigs), policies: policyDecisions(snapshot, []) } : undefined;
}

function userGrants(snapshot: Snapshot, caller: CallerContext): OwnGrants | undefined {
  if (caller.kind !== 'user') return undefined;
  const policies = policyDecisions(snapshot, heldPolicies(snapshot, caller));
  return { of: (slug) => allowedBy(policies(slug)), policies };
}

function allowedBy(decision: PolicyDecision): Grant {
  return {
    tool: (resolved) => decision.tool(resolved) === 'allow',
    prompts: decision.prompts === 'allow',
    resources: decision.resources === 'allow',
    mayHold: decision.mayAllow,
  };
}

function withoutDenied(grant: Grant, decision: PolicyDecision): Grant {
  return {
    tool: (resolved) => grant.tool(resolved) && decision.tool(resolved) !== 'deny',
    prompts: grant.prompts && decision.prompts !== 'deny',
    resources: grant.resources && decision.resources !== 'deny',
    mayHold: grant.mayHold && !decision.deniesAll,
  };
}
