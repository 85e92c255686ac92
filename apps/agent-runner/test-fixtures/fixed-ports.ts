/** What a runner is given from outside, held in memory: for runners of tests, in this process or another. */
import type { AgentDefinition } from '@switchyard/contracts';
import { Secret } from '@switchyard/service-kit';
import type { RunnerPorts } from '../src/ports/unpublished.js';
import type { OfferedTool } from '../src/ports/tool-planner.js';

/** Plain JSON, so that it travels in an environment variable. */
export type FixedPorts = { agents: AgentDefinition[]; tools: OfferedTool[]; apiKey: string };

/** Looks into `fixed` each time: a test may add to it. */
export function fixedPorts(fixed: FixedPorts): RunnerPorts {
  return {
    agents: {
      find: async (orgId, id) => fixed.agents.find((agent) => agent.id === id && agent.orgId === orgId),
    },
    keys: { keyOf: async () => new Secret(fixed.apiKey) },
    planner: {
      offer: async (_caller, { grants }) => {
        const slugs = grants.map((grant) => grant.mcp_client_name);
        const isGranted = ({ integrationSlug }: OfferedTool) => slugs.includes(integrationSlug);
        const leftOut = fixed.tools.filter((tool) => !isGranted(tool));
        return {
          tools: fixed.tools.filter(isGranted),
          leftOut: leftOut.map(({ outwardName: name }) => ({ name, reason: 'not_granted' })),
        };
      },
    },
  };
}
