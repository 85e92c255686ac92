import type { CallerContext } from '@switchyard/contracts';
import { hasIdentity, isAttended, isUnattendedRun } from './available-auth.js';
import { callerGrants } from './caller-grants.js';
import type { IntegrationRecord, ResolvedTool } from './records.js';
import type { Snapshot } from './snapshot.js';
import type { ToolSelection } from './tool-selection.js';
import { visibleIntegrations } from './visible-integrations.js';

/** An integration that the caller was granted, and whether there is an identity to call it under. */
export type GrantedIntegration = {
  readonly integration: IntegrationRecord;
  readonly isGranted: ToolSelection;
  readonly hasIdentity: boolean;
};

/** What one caller may use, before the state of integrations and the request's filter are asked. */
export type CallerView = {
  readonly granted: readonly GrantedIntegration[];
  /** All tools of the view that are served, once somebody has asked for them. */
  list?: readonly ResolvedTool[];
};

/** Callers that differ in nothing that the rules ask share a view. A list of 5,000 tools takes 40 kB. */
const maxViews = 1_000;
const views = new WeakMap<Snapshot, Map<string, CallerView>>();

/** The view of a caller, computed once for each snapshot: integrations in scope ∩ granted. */
export function callerView(snapshot: Snapshot, caller: CallerContext): CallerView {
  const cached = cacheOf(snapshot);
  const key = keyOf(caller);
  const view = cached.get(key) ?? { granted: computeGranted(snapshot, caller) };
  cached.delete(key);
  cached.set(key, view);
  const oldest = cached.size > maxViews ? cached.keys().next().value : undefined;
  if (oldest !== undefined) cached.delete(oldest);
  return view;
}

function computeGranted(snapshot: Snapshot, caller: CallerContext): CallerView['granted'] {
  const grants = callerGrants(snapshot, caller);
  return visibleIntegrations(snapshot, caller).flatMap((integration) => {
    const isGranted = grants(integration.slug);
    return isGranted
      ? [{ integration, isGranted, hasIdentity: hasIdentity(snapshot, integration, caller) }]
      : [];
  });
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
  return JSON.stringify([kind, orgId, userId, virtualKeyId, presence, roles]);
}
