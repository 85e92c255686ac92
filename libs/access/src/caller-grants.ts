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
 * unknown one has nothing, nor has one of another user than the caller. A user without a key has what the policies of
 * their roles name, all added up. Anonymous callers have everything that their other layers leave.
 */
export function callerGrants(snapshot: Snapshot, caller: CallerContext): CallerGrants {
  if (caller.kind === 'anonymous') return everything;
  if (caller.userId !== null && snapshot.inactiveUsers.has(caller.userId)) return nothing;
  if (caller.virtualKeyId === null) return policyGrants(snapshot, caller);
  const key = snapshot.virtualKeysById.get(caller.virtualKeyId);
  if (!key || key.revokedAt || key.orgId !== caller.orgId || key.userId !== caller.userId) return nothing;
  return compile(key.mcpConfigs);
}

function policyGrants(snapshot: Snapshot, caller: CallerContext): CallerGrants {
  if (caller.kind !== 'user') return nothing;
  const policies = snapshot.policiesByOrg.get(caller.orgId) ?? [];
  const held = policies.filter(({ roles }) => roles?.some((role) => caller.roles.includes(role)) ?? true);
  return compile(held.flatMap(({ mcpConfigs }) => mcpConfigs));
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
