import type { CallerContext } from '@switchyard/contracts';
import type { CallerView } from './caller-view.js';
import { configGrants } from './config-grants.js';
import type { IntegrationRecord } from './records.js';
import type { Snapshot } from './snapshot.js';
import { integrationsInScope } from './visible-integrations.js';

/**
 * Whose prompts or resources have names here, in the order of slugs. In a toolset those of all that it holds, whoever
 * asks: what cannot be reached now, is not shared or is denied to the caller keeps its names, and no name moves to another
 * server's. Elsewhere names carry the slug and never meet.
 */
export function namedIntegrations(
  snapshot: Snapshot,
  caller: CallerContext,
  { toolset, granted }: CallerView,
  what: 'prompts' | 'resources',
): IntegrationRecord[] {
  const holds = toolset && configGrants(toolset.record.mcpConfigs);
  const named = holds
    ? integrationsInScope(snapshot, caller).filter(({ slug }) => holds(slug)[what])
    : granted.map(({ integration }) => integration);
  return named.sort((a, b) => (a.slug < b.slug ? -1 : 1));
}
