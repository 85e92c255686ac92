import { configGrants, slugOf } from './config-grants.js';
import type { ToolsetConfig, ToolsetRecord } from './grant-records.js';
import { bareName, outwardName, uniqueNames } from './outward-name.js';
import type { IntegrationRecord, ResolvedTool } from './records.js';
import { type ServedTools, servedTools } from './served-tools.js';
import type { Snapshot } from './snapshot.js';

/** A tool under its name in a toolset, and as the rules know it everywhere else. */
export type NamedTool = { readonly resolved: ResolvedTool; readonly plain: ResolvedTool };

type Override = ToolsetConfig['tools'][string];
type Entry = { readonly plain: ResolvedTool; readonly override: Override; readonly name: string };

type Named = ReadonlyMap<string, NamedTool>;

/** The last names of each toolset: as long as nothing of what it holds changed they are everybody's. */
const cache = new WeakMap<ToolsetRecord, { readonly from: readonly ServedTools[]; readonly names: Named }>();

/**
 * All tools that a toolset holds, by their names in it. A new name stands for the tool's own: it gets the integration's
 * slug before it where the toolset has prefixes. Where two names meet, the one that an admin gave stays, then the tool
 * of the integration that comes first in the order of slugs, then the one first seen; the others get a hash. Neither the
 * state of an integration, nor a tool that is hidden or gone, nor what is granted moves a name to another tool.
 */
export function toolsetTools(
  snapshot: Snapshot,
  toolset: ToolsetRecord,
  inScope: readonly IntegrationRecord[],
): Named {
  const holds = configGrants(toolset.mcpConfigs);
  const from = inScope
    .filter(({ slug }) => holds(slug).mayHold)
    .sort((a, b) => (a.slug < b.slug ? -1 : 1))
    .map((integration) => servedTools(snapshot, integration));
  const cached = cache.get(toolset);
  if (cached?.from.length === from.length && cached.from.every((one, at) => one === from[at]))
    return cached.names;
  const names = nameAll(toolset, from);
  cache.set(toolset, { from, names });
  return names;
}

function nameAll(toolset: ToolsetRecord, from: readonly ServedTools[]): Named {
  const holds = configGrants(toolset.mcpConfigs);
  const entries = from
    .flatMap(({ discovered }) => discovered)
    .filter((plain) => holds(plain.integration.slug).tool(plain))
    .map((plain) => entryOf(toolset, plain));
  const inOrder = [...entries.filter(isRenamed), ...entries.filter((entry) => !isRenamed(entry))];
  const names = uniqueNames(
    inOrder.map((entry) => ({
      key: entry,
      name: entry.name,
      full: `${entry.plain.integration.slug}_${entry.plain.tool.name}`,
    })),
  );
  return new Map([...names].map(([entry, name]) => [name, named(entry, name)]));
}

function entryOf(toolset: ToolsetRecord, plain: ResolvedTool): Entry {
  const { slug } = plain.integration;
  const override = overrideOf(toolset, slug, plain.tool.name);
  if (!toolset.prefix) return { plain, override, name: bareName(override.name ?? plain.tool.name) };
  return { plain, override, name: override.name ? outwardName(slug, override.name) : plain.outwardName };
}

function overrideOf({ mcpConfigs }: ToolsetRecord, slug: string, tool: string): Override {
  const config = mcpConfigs.find(
    (one) => slugOf(one.mcpClientName) === slug && Object.hasOwn(one.tools, tool),
  );
  return config?.tools[tool] ?? {};
}

function isRenamed({ override }: Entry): boolean {
  return override.name !== undefined;
}

function named({ plain, override: { description } }: Entry, name: string): NamedTool {
  if (name === plain.outwardName && description === undefined) return { resolved: plain, plain };
  const wire = { ...plain.wire, name, ...(description !== undefined && { description }) };
  return { resolved: { ...plain, outwardName: name, wire }, plain };
}
