import { agentTools, executionPolicy, isUnattendedRun, withAgent } from '@switchyard/access';
import type { AgentRecord, LeftOutReason, ResolvedTool, Snapshot } from '@switchyard/access';
import type { CallerContext, ExecutionMode } from '@switchyard/contracts';
import type { AgentEntity } from './agent.entity.js';

export type Offered = {
  readonly tools: readonly { readonly resolved: ResolvedTool; readonly mode: ExecutionMode }[];
  readonly leftOut: readonly {
    readonly name: string;
    readonly integrationSlug: string;
    readonly reason: LeftOutReason | 'approval_required';
  }[];
};

/** What a run of the agent, as it is saved, would be offered, and what not. Nobody is there to approve in unattended ones. */
export function offeredTools(snapshot: Snapshot, agent: AgentEntity, caller: CallerContext): Offered {
  const saved = withAgent(snapshot, toRecord(agent, caller));
  const { tools, leftOut } = agentTools(saved, caller);
  const judged = tools.map((resolved) => ({ resolved, mode: executionPolicy(saved, caller, resolved).mode }));
  if (!isUnattendedRun(caller) || agent.unattendedApproval === 'park') return { tools: judged, leftOut };
  const needy = judged
    .filter(({ mode }) => mode === 'require_approval')
    .map(({ resolved: { outwardName: name, integration } }) => ({
      ...{ name, integrationSlug: integration.slug, reason: 'approval_required' as const },
    }));
  return { tools: judged.filter(({ mode }) => mode === 'auto_execute'), leftOut: [...leftOut, ...needy] };
}

/** A user whom nobody knows: no policy speaks of them but those for everybody. */
export const anybody = '00000000-0000-0000-0000-000000000000';

export function chatCaller(agent: AgentEntity, user?: { id: string; roles: string[] }): CallerContext {
  const { id: userId, roles } = user ?? { id: anybody, roles: [] };
  const who = { kind: 'user', orgId: agent.organizationId, userId, virtualKeyId: null } as const;
  return { ...who, runKind: 'chat', roles, hasSubjectToken: true, agentId: agent.id };
}

export function unattendedCaller(
  { id, organizationId }: Pick<AgentEntity, 'id' | 'organizationId'>,
  runKind: 'schedule' | 'webhook',
): CallerContext {
  const who = { kind: 'service', orgId: organizationId, userId: null, virtualKeyId: null } as const;
  return { ...who, runKind, roles: [], hasSubjectToken: false, agentId: id };
}

/** As the rules see it once it is switched on; who asks for nobody in particular may chat. */
function toRecord(row: AgentEntity, { userId }: CallerContext): AgentRecord {
  const { id, organizationId: orgId, slug, name, execution, approval, version } = row;
  const mcpConfigs = row.grants.map(
    ({ mcp_client_name: mcpClientName, tools_to_execute: toolsToExecute }) => ({
      ...{ mcpClientName, toolsToExecute },
    }),
  );
  const chatAccess = userId === anybody ? { ...row.chatAccess, everyone: true } : row.chatAccess;
  return { id, orgId, slug, name, mcpConfigs, execution, approval, chatAccess, isActive: true, version };
}
