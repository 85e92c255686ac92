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

/** Whether a call runs by itself, and what an approval of it holds for. */
export type ExecutionPolicy = {
  readonly mode: ExecutionMode;
  /** Hex SHA-256 that changes with the integration's settings, the agent's, and what the vendor says of the tool. */
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
    mode: modeOf(caller, agent, resolved),
    version: policyVersion(agent, resolved),
    terms: (agent ?? resolved.integration).approval,
  };
}

function modeOf(
  { agentId }: CallerContext,
  agent: AgentRecord | undefined,
  resolved: ResolvedTool,
): ExecutionMode {
  const { integration, tool } = resolved;
  if (agentId === undefined && integration.approvalOnGateway === 'host') return 'auto_execute';
  const words = [
    agentsWord(agent, resolved),
    overrideOf(integration, tool.name)?.policy,
    authorsWord(resolved),
    agent?.execution.default,
    integration.defaultPolicy,
  ];
  return words.find((word) => word !== undefined && word !== null) ?? 'require_approval';
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

function policyVersion(agent: AgentRecord | undefined, { integration, tool }: ResolvedTool): string {
  const parts = [integration.id, integration.version, tool.wireSha256, agent?.id, agent?.version];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
