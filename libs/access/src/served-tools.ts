import type { IntegrationRecord, IntegrationStateRecord, ResolvedTool, ToolRecord } from './records.js';
import { outwardNames } from './outward-name.js';
import { isSafeTool } from './retry-class.js';
import type { Snapshot } from './snapshot.js';
import { type HiddenBecause, overrideOf, toolVisibility } from './tool-visibility.js';

/** The tools of one integration by outward name. Nothing about callers yet. */
export type ServedTools = {
  /** Those that are offered, sorted by outward name. */
  readonly list: readonly ResolvedTool[];
  /** Those, and the ones that would be if an admin approved them. */
  readonly byName: ReadonlyMap<string, ResolvedTool>;
  /** Every discovered tool, hidden ones too, in the order in which they were first seen: on it names depend. */
  readonly discovered: readonly ResolvedTool[];
  /** Outward names of tools that wait for an admin: changed or new on a pinned integration. */
  readonly unapproved: ReadonlySet<string>;
};

type Cached = { readonly integration: IntegrationRecord; readonly served: ServedTools };
type Judged = { readonly resolved: ResolvedTool; readonly hidden: HiddenBecause | null };

/** By the array of a snapshot: lives as long as those rows do, over any number of snapshots that share them. */
const cache = new WeakMap<readonly ToolRecord[], Cached>();
const noTools: ServedTools = { list: [], byName: new Map(), discovered: [], unapproved: new Set() };

/**
 * The layers that are the same for every caller: discovered ∩ enabled ∩ client config ∩ pins. Says nothing about the
 * state of the integration (`isServed`).
 */
export function servedTools(snapshot: Snapshot, integration: IntegrationRecord): ServedTools {
  const tools = snapshot.tools.get(integration.id);
  if (!tools) return noTools;
  const cached = cache.get(tools);
  if (cached?.integration === integration) return cached.served;
  const served = partition(judgeAll(integration, tools));
  cache.set(tools, { integration, served });
  return served;
}

/** Whether the integration's tools are served: disconnected and disabled ones are not. */
export function isServed(integration: IntegrationRecord, state: IntegrationStateRecord | undefined): boolean {
  return (
    integration.enabled && state !== undefined && state.state !== 'disconnected' && state.state !== 'disabled'
  );
}

function judgeAll(integration: IntegrationRecord, tools: readonly ToolRecord[]): Judged[] {
  const names = outwardNames(integration.slug, tools);
  const whyHidden = toolVisibility(integration);
  return tools.map((tool) => {
    const outwardName = names.get(tool.name) ?? tool.name;
    return {
      resolved: resolve(integration, tool, outwardName),
      hidden: whyHidden(tool, outwardName),
    };
  });
}

function partition(judged: readonly Judged[]): ServedTools {
  const known = judged.filter(({ hidden }) => hidden === null || hidden === 'not_approved');
  const list = known.filter(({ hidden }) => hidden === null).map(({ resolved }) => resolved);
  const waiting = known.filter(({ hidden }) => hidden !== null);
  return {
    list: list.sort((a, b) => (a.outwardName < b.outwardName ? -1 : 1)),
    byName: new Map(known.map(({ resolved }) => [resolved.outwardName, resolved])),
    discovered: judged.map(({ resolved }) => resolved),
    unapproved: new Set(waiting.map(({ resolved }) => resolved.outwardName)),
  };
}

function resolve(integration: IntegrationRecord, tool: ToolRecord, outwardName: string): ResolvedTool {
  const override = overrideOf(integration, tool.name);
  const isReadOnly = tool.wire.annotations?.readOnlyHint === true;
  return {
    integration,
    tool,
    outwardName,
    wire: { ...tool.wire, name: outwardName },
    safe: isSafeTool(tool, override),
    deadlineMs: override?.deadlineMs ?? integration.deadlineMs,
    cacheSeconds: isReadOnly ? (override?.cacheSeconds ?? null) : null,
  };
}
