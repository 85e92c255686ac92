import type { AgentDefinition, CallerContext, ExecutionMode, WireTool } from '@switchyard/contracts';

/** A tool that the caller of a run can really call through its agent. */
export type OfferedTool = {
  readonly outwardName: string;
  /** By the upstream's own name. */
  readonly tool: string;
  readonly integrationId: string;
  readonly integrationSlug: string;
  readonly wire: WireTool;
  /** The tool's or its integration's own; null: the agent's. */
  readonly deadlineMs: number | null;
  /** The integration's default for agents; null: none. */
  readonly execution: ExecutionMode | null;
};

/** A tool, or all tools of an integration, that the agent is granted and this run does not have. */
export type LeftOutTool = { readonly name: string; readonly reason: string };

export type ToolOffer = { readonly tools: readonly OfferedTool[]; readonly leftOut: readonly LeftOutTool[] };

/** Which tools a run may have: the rules of who may use which tool, for its caller and its agent's grants. */
export abstract class ToolPlanner {
  abstract offer(caller: CallerContext, agent: AgentDefinition): Promise<ToolOffer>;
}
