import type { IntegrationRecord, IntegrationStateRecord, ResolvedTool, ToolRecord } from './records.js';
import { outwardNames } from './outward-name.js';
import { isSafeTool } from './retry-class.js';
import type { Snapshot } from './snapshot.js';
import { overrideOf, toolVisibility } from './tool-visibility.js';

/** The tools of one integration by outward name, sorted by it. Nothing about callers yet. */
export type ServedTools = {
  readonly list: readonly ResolvedTool[];
  readonly byName: ReadonlyMap<string, ResolvedTool>;
};

type Cached = { readonly integration: IntegrationRecord; readonly served: ServedTools };

/** By the array of a snapshot: lives as long as those rows do, over any number of snapshots that share them. */
const cache = new WeakMap<readonly ToolRecord[], Cached>();

/**
 * The layers that are the same for every caller: discovered ∩ enabled ∩ client config. Says nothing about the
 * state of the integration (`isServed`).
 */
export function servedTools(snapshot: Snapshot, integration: IntegrationRecord): ServedTools {
  const tools = snapshot.tools.get(integration.id);
  if (!tools) return { list: [], byName: new Map() };
  const cached = cache.get(tools);
  if (cached?.integration === integration) return cached.served;
  const list = resolveOf(integration, tools);
  const served = { list, byName: new Map(list.map((resolved) => [resolved.outwardName, resolved])) };
  cache.set(tools, { integration, served });
  return served;
}

/** Whether the integration's tools are served: disconnected and disabled ones are not. */
export function isServed(integration: IntegrationRecord, state: IntegrationStateRecord | undefined): boolean {
  return (
    integration.enabled && state !== undefined && state.state !== 'disconnected' && state.state !== 'disabled'
  );
}

function resolveOf(integration: IntegrationRecord, tools: readonly ToolRecord[]): ResolvedTool[] {
  const names = outwardNames(integration.slug, tools);
  const whyHidden = toolVisibility(integration);
  return tools
    .map((tool) => resolve(integration, tool, names.get(tool.name) ?? tool.name))
    .filter(({ tool, outwardName }) => whyHidden(tool, outwardName) === null)
    .sort((a, b) => (a.outwardName < b.outwardName ? -1 : 1));
}

function resolve(integration: IntegrationRecord, tool: ToolRecord, outwardName: string): ResolvedTool {
  const override = overrideOf(integration, tool.name);
  return {
    integration,
    tool,
    outwardName,
    wire: { ...tool.wire, name: outwardName },
    safe: isSafeTool(tool, override),
    deadlineMs: override?.deadlineMs ?? integration.deadlineMs,
  };
}
