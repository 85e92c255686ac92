import { isUnattendedRun } from '@switchyard/access';
import type { AgentDefinition, CallerContext, ExecutionMode } from '@switchyard/contracts';
import type { OfferedTool, ToolOffer } from '../ports/tool-planner.js';
import type { RunPlan } from '../runs/run-data.js';

/** Whether a call of the tool runs by itself: as the agent says of the tool, the agent, the integration; else it waits. */
export function executionModeOf(agent: AgentDefinition, tool: OfferedTool): ExecutionMode {
  const own = Object.hasOwn(agent.execution.tools, tool.outwardName)
    ? agent.execution.tools[tool.outwardName]
    : undefined;
  return own ?? agent.execution.default ?? tool.execution ?? 'require_approval';
}

/** The plan of a run out of what its caller may use. Where nobody is there to approve, such tools are not offered. */
export function makePlan(caller: CallerContext, agent: AgentDefinition, offer: ToolOffer): RunPlan {
  const all = offer.tools.map((tool) => ({ ...tool, mode: executionModeOf(agent, tool) }));
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
