import type { CallerContext } from '@switchyard/contracts';
import { callerView } from './caller-view.js';
import type { CallerView, GrantedIntegration } from './caller-view.js';
import type { IntegrationRecord } from './records.js';
import { requestMatcher } from './request-filter.js';
import type { RequestFilter } from './request-filter.js';
import { findGranted } from './resolve-tools.js';
import type { GrantedTool } from './resolve-tools.js';
import { isServed } from './served-tools.js';
import type { Snapshot } from './snapshot.js';

/** Why `findTool` found nothing. */
export type MissingTool =
  | { readonly code: 'tool_not_found' }
  | {
      readonly code: 'integration_unavailable' | 'auth_context_unavailable' | 'tool_unapproved';
      readonly slug: string;
      readonly integrationId: string;
    };

const notFound: MissingTool = { code: 'tool_not_found' };

/**
 * Tells a tool that is not there from one whose integration is disconnected, disabled or not connected yet, from one
 * that this caller has no identity for, and from one that waits for an admin's approval. Speaks only of integrations
 * within the caller's grant and the request's filter: for all others there is no such tool.
 */
export function explainMissing(
  snapshot: Snapshot,
  caller: CallerContext,
  outwardName: string,
  filters?: RequestFilter,
): MissingTool {
  const view = callerView(snapshot, caller);
  const known = findGranted(snapshot, view, outwardName);
  const isAsked = requestMatcher(filters);
  if (known) return isAsked(known.resolved) ? whyNot(snapshot, known) : notFound;
  const named = neverListed(snapshot, view, outwardName);
  if (!named || !isAsked({ integration: named.integration, outwardName })) return notFound;
  return {
    code: named.hasIdentity ? 'integration_unavailable' : 'auth_context_unavailable',
    ...about(named),
  };
}

function whyNot(snapshot: Snapshot, { granted, isUnapproved }: GrantedTool): MissingTool {
  if (!granted.hasIdentity) return { code: 'auth_context_unavailable', ...about(granted) };
  if (isOff(snapshot, granted.integration)) return { code: 'integration_unavailable', ...about(granted) };
  return isUnapproved ? { code: 'tool_unapproved', ...about(granted) } : notFound;
}

function about({ integration }: GrantedIntegration) {
  return { slug: integration.slug, integrationId: integration.id };
}

/** An integration without tools has no names to look up. Its prefix is unmistakable: no slug holds a `_`. */
function neverListed(
  snapshot: Snapshot,
  view: CallerView,
  outwardName: string,
): GrantedIntegration | undefined {
  if (view.toolset?.record.prefix === false) return undefined;
  return view.granted.find(
    ({ integration, grant }) =>
      grant.mayHold &&
      outwardName.startsWith(`${integration.slug}_`) &&
      !snapshot.tools.get(integration.id)?.length &&
      (isOff(snapshot, integration) || snapshot.states.get(integration.id)?.state === 'connecting'),
  );
}

function isOff(snapshot: Snapshot, integration: IntegrationRecord): boolean {
  return !isServed(integration, snapshot.states.get(integration.id));
}
