import type { McpConfig, ResolvedTool } from './records.js';
import { everyTool, toolSelection } from './tool-selection.js';

/** What is named of one integration. */
export type Grant = {
  readonly tool: (resolved: ResolvedTool) => boolean;
  readonly prompts: boolean;
  readonly resources: boolean;
  /** Whether it can hold a tool at all, as far as that is known without any. */
  readonly mayHold: boolean;
};

/** By slug. */
export type Grants = (slug: string) => Grant;

/** All of an integration. */
export const everything: Grant = { tool: () => true, prompts: true, resources: true, mayHold: true };

/** Nothing of an integration. */
export const nothing: Grant = { tool: () => false, prompts: false, resources: false, mayHold: false };

/** How documents and older configurations write a slug: `web_search` means `web-search`. */
export function slugOf(clientName: string): string {
  return clientName.replaceAll('_', '-');
}

/**
 * Compiles lists of `mcp_configs`; several of one client add up. Prompts and resources go with a list that covers every
 * tool, unless the config says otherwise.
 */
export function configGrants(configs: readonly McpConfig[]): Grants {
  const grants = new Map<string, Grant>();
  for (const config of configs) {
    const slug = slugOf(config.mcpClientName);
    const other = grants.get(slug);
    grants.set(slug, other ? union(other, grantOf(config)) : grantOf(config));
  }
  return (slug) => grants.get(slug) ?? nothing;
}

/** What either of them grants. */
export function union(a: Grant, b: Grant): Grant {
  const tool = [a, b].some((one) => one.tool === everything.tool)
    ? everything.tool
    : (resolved: ResolvedTool) => a.tool(resolved) || b.tool(resolved);
  return {
    tool,
    prompts: a.prompts || b.prompts,
    resources: a.resources || b.resources,
    mayHold: a.mayHold || b.mayHold,
  };
}

function grantOf({ toolsToExecute, prompts, resources }: McpConfig): Grant {
  const isSelected = toolSelection(toolsToExecute);
  const isWhole = isSelected === everyTool;
  return {
    tool: isWhole ? everything.tool : ({ tool, outwardName }) => isSelected(tool.name, outwardName),
    prompts: prompts ?? isWhole,
    resources: resources ?? isWhole,
    mayHold: toolsToExecute?.length !== 0,
  };
}
