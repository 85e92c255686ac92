import type { CallerContext } from '@switchyard/contracts';
import { hasIdentity, isAttended, isUnattendedRun } from './available-auth.js';
import { callerGrants } from './caller-grants.js';
import type { Grant } from './config-grants.js';
import type { ResolvedPrompt, ResolvedResource, ResolvedResourceTemplate } from './feature-records.js';
import type { ToolsetRecord } from './grant-records.js';
import type { IntegrationRecord, ResolvedTool } from './records.js';
import type { Snapshot } from './snapshot.js';
import { type NamedTool, toolsetTools } from './toolset-tools.js';
import { integrationsInScope, isAvailable } from './visible-integrations.js';

/** An integration that the caller was granted, and whether there is an identity to call it under. */
export type GrantedIntegration = {
  readonly integration: IntegrationRecord;
  readonly grant: Grant;
  readonly hasIdentity: boolean;
};

/** What one caller may use, before the state of integrations and the request's filter are asked. */
export type CallerView = {
  readonly granted: readonly GrantedIntegration[];
  /** At the address of a toolset: its tools by the names that they have there, granted or not. */
  readonly toolset?: { readonly record: ToolsetRecord; readonly names: ReadonlyMap<string, NamedTool> };
  /** What is served of the view, once somebody has asked for it. */
  tools?: readonly ResolvedTool[];
  prompts?: readonly ResolvedPrompt[];
  resources?: readonly ResolvedResource[];
  templates?: readonly ResolvedResourceTemplate[];
};

/** Callers that differ in nothing that the rules ask share a view. A list of 5,000 tools takes 40 kB. */
const maxViews = 1_000;
const views = new WeakMap<Snapshot, Map<string, CallerView>>();

/** The view of a caller, computed once for each snapshot: integrations in scope ∩ granted ∩ shared. */
export function callerView(snapshot: Snapshot, caller: CallerContext): CallerView {
  const cached = cacheOf(snapshot);
  const key = keyOf(caller);
  const view = cached.get(key) ?? compute(snapshot, caller);
  cached.delete(key);
  cached.set(key, view);
  const oldest = cached.size > maxViews ? cached.keys().next().value : undefined;
  if (oldest !== undefined) cached.delete(oldest);
  return view;
}

function compute(snapshot: Snapshot, caller: CallerContext): CallerView {
  const { of, toolset } = callerGrants(snapshot, caller);
  const inScope = integrationsInScope(snapshot, caller);
  const granted = inScope
    .filter((integration) => isAvailable(integration, caller) && isShared(integration, caller))
    .map((integration) => ({
      integration,
      grant: of(integration.slug),
      hasIdentity: hasIdentity(snapshot, integration, caller),
    }))
    .filter(({ grant }) => grant.mayHold || grant.prompts || grant.resources);
  // Names come from all that the toolset holds: what is not available or not shared leaves the others' names alone.
  return toolset
    ? { granted, toolset: { record: toolset, names: toolsetTools(snapshot, toolset, inScope) } }
    : { granted };
}

/** Whether the user shares the integration with the client through which they call. */
export function isShared({ id }: IntegrationRecord, { sharedIntegrationIds }: CallerContext): boolean {
  return sharedIntegrationIds?.includes(id) ?? true;
}

function cacheOf(snapshot: Snapshot): Map<string, CallerView> {
  const existing = views.get(snapshot);
  if (existing) return existing;
  const created = new Map<string, CallerView>();
  views.set(snapshot, created);
  return created;
}

/** Every fact of a caller that a rule reads. */
function keyOf(caller: CallerContext): string {
  const { kind, orgId, userId, virtualKeyId, roles, hasSubjectToken } = caller;
  const presence = [isAttended(caller), isUnattendedRun(caller), hasSubjectToken];
  const narrowed = [caller.claims, caller.toolsetId, caller.sharedIntegrationIds, caller.agentId];
  return JSON.stringify([kind, orgId, userId, virtualKeyId, presence, roles, ...narrowed]);
}
