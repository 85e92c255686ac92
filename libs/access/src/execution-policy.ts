import { createHash } from 'node:crypto';
import {
  type ApprovalTerms,
  type CallerContext,
  ExecutionMode,
  LOCAL_KIND,
  policyMetaKey,
} from '@switchyard/contracts';
import type { AgentRecord, ResolvedTool } from './records.js';
import type { Snapshot } from './snapshot.js';
import { overrideOf } from './tool-visibility.js';

/** Whose word a mode is, from the one that beats all others to the one that holds where nobody said anything. */
export type PolicyWord =
  | 'agent_tool'
  | 'integration_tool'
  | 'tool_author'
  | 'agent_default'
  | 'integration_default'
  | 'platform_default'
  /** Outside of an agent's run: the host asks its own user. */
  | 'host';

/** Whether a call runs by itself, and what an approval of it holds for. */
export type ExecutionPolicy = {
  readonly mode: ExecutionMode;
  /** Whose word that is. */
  readonly decidedBy: PolicyWord;
  /** Hex SHA-256 that changes with all that an approval depends on (`policyVersion`). */
  readonly version: string;
  /** Who may approve it. */
  readonly terms: ApprovalTerms;
};

/**
 * The execution policy of a call. A word about the tool beats one about all tools, and the agent's beats the integration's:
 * the agent's for the tool, the integration's for the tool, the agent's default, the integration's default, and at last
 * `require_approval`. Outside of an agent's run the host asks its own user, unless the integration says that the platform does.
 */
export function executionPolicy(
  snapshot: Snapshot,
  caller: CallerContext,
  resolved: ResolvedTool,
): ExecutionPolicy {
  const agent = snapshot.agents.get(caller.agentId ?? '');
  return {
    ...decided(caller, agent, resolved),
    version: policyVersion(agent, resolved),
    terms: (agent ?? resolved.integration).approval,
  };
}

function decided(
  { agentId }: CallerContext,
  agent: AgentRecord | undefined,
  resolved: ResolvedTool,
): Pick<ExecutionPolicy, 'mode' | 'decidedBy'> {
  const { integration, tool } = resolved;
  if (agentId === undefined && integration.approvalOnGateway === 'host')
    return { mode: 'auto_execute', decidedBy: 'host' };
  const words: [PolicyWord, ExecutionMode | null | undefined][] = [
    ['agent_tool', agentsWord(agent, resolved)],
    ['integration_tool', overrideOf(integration, tool.name)?.policy],
    ['tool_author', authorsWord(resolved)],
    ['agent_default', agent?.execution.default],
    ['integration_default', integration.defaultPolicy],
  ];
  for (const [decidedBy, mode] of words) if (mode) return { mode, decidedBy };
  return { mode: 'require_approval', decidedBy: 'platform_default' };
}

function agentsWord(
  agent: AgentRecord | undefined,
  { outwardName }: ResolvedTool,
): ExecutionMode | undefined {
  return agent && Object.hasOwn(agent.execution.tools, outwardName)
    ? agent.execution.tools[outwardName]
    : undefined;
}

function authorsWord({ integration, tool }: ResolvedTool): ExecutionMode | undefined {
  if (integration.kind !== LOCAL_KIND) return undefined;
  const meta = tool.wire['_meta'] as Record<string, unknown> | undefined;
  return ExecutionMode.safeParse(meta?.[policyMetaKey]).data;
}

/**
 * What an approval depends on: where the call goes and as whom, what decided that it waits, who may approve it, and what the
 * vendor says of the tool. A new name or description of an integration or an agent makes no approval stale.
 */
function policyVersion(agent: AgentRecord | undefined, { integration, tool }: ResolvedTool): string {
  const { id, transport, authMode, serviceUserId, defaultPolicy, approvalOnGateway, approval } = integration;
  const parts = [
    [id, transport, authMode, serviceUserId, defaultPolicy, approvalOnGateway, approval],
    [tool.wireSha256, overrideOf(integration, tool.name)?.policy],
    agent && [agent.id, agent.mcpConfigs, agent.execution, agent.approval],
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
