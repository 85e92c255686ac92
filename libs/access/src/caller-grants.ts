import type { CallerContext } from '@switchyard/contracts';
import type { McpConfig } from './records.js';
import type { Snapshot } from './snapshot.js';
import { everyTool, toolSelection } from './tool-selection.js';
import type { ToolSelection } from './tool-selection.js';

/** By slug, what a caller may use of an integration; `undefined` is nothing. */
export type CallerGrants = (slug: string) => ToolSelection | undefined;

const nothing: CallerGrants = () => undefined;
const everything: CallerGrants = () => everyTool;

/** How documents and older configurations write a slug: `web_search` means `web-search`. */
export function slugOf(clientName: string): string {
  return clientName.replaceAll('_', '-');
}

/**
 * What the caller was granted. A virtual key has what its `mcp_configs` name, and without them nothing; a revoked or
 * unknown one has nothing; anonymous callers have everything that their other layers leave.
 */
export function callerGrants(snapshot: Snapshot, caller: CallerContext): CallerGrants {
  if (caller.kind === 'anonymous') return everything;
  const key = caller.virtualKeyId === null ? undefined : snapshot.virtualKeysById.get(caller.virtualKeyId);
  if (!key || key.revokedAt || key.orgId !== caller.orgId) return nothing;
  return compile(key.mcpConfigs);
}

/** Several configs of one client add up. */
function compile(configs: readonly McpConfig[]): CallerGrants {
  const selections = new Map<string, ToolSelection>();
  for (const config of configs) {
    const slug = slugOf(config.mcpClientName);
    const one = toolSelection(config.toolsToExecute);
    const other = selections.get(slug);
    selections.set(slug, other ? (tool, outward) => other(tool, outward) || one(tool, outward) : one);
  }
  return (slug) => selections.get(slug);
}
