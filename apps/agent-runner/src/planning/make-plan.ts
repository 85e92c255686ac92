import { type ExecutionPolicy, isUnattendedRun, type ResolvedTool } from '@switchyard/access';
import type { AgentDefinition, CallerContext } from '@switchyard/contracts';
import type { LeftOutTool, PlannedTool, RunPlan } from '../runs/run-data.js';

/** A tool that the caller may use in a run of the agent, and whether a call of it runs by itself. */
export type OfferedTool = { readonly resolved: ResolvedTool; readonly policy: Pick<ExecutionPolicy, 'mode'> };
export type ToolOffer = {
  readonly tools: readonly OfferedTool[];
  readonly leftOut: readonly LeftOutTool[];
};

/** The plan of a run out of what its caller may use. Where nobody is there to approve, such tools are not offered. */
export function makePlan(
  caller: CallerContext,
  agent: Pick<AgentDefinition, 'unattendedApproval'>,
  offer: ToolOffer,
): RunPlan {
  const all = offer.tools.map(toPlanned);
  if (!isUnattendedRun(caller) || agent.unattendedApproval === 'park')
    return { tools: all, leftOut: offer.leftOut };
  const needy = all.filter(({ mode }) => mode === 'require_approval');
  return {
    tools: all.filter(({ mode }) => mode === 'auto_execute'),
    leftOut: [
      ...offer.leftOut,
      ...needy.map(({ outwardName: name }) => ({ name, reason: 'approval_required' })),
    ],
  };
}

function toPlanned({ resolved, policy: { mode } }: OfferedTool): PlannedTool {
  const { integration, tool, outwardName, wire, deadlineMs } = resolved;
  return {
    ...{ outwardName, tool: tool.name, wire, deadlineMs, mode },
    ...{ integrationId: integration.id, integrationSlug: integration.slug },
    exchangesToken: integration.authMode === 'token_exchange',
  };
}
