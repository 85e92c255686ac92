import type { CallerContext } from '@switchyard/contracts';
import { callerView } from './caller-view.js';
import type { IntegrationRecord } from './records.js';
import { findGranted } from './resolve-tools.js';
import { isServed } from './served-tools.js';
import type { Snapshot } from './snapshot.js';

/** Why `findTool` found nothing. */
export type MissingTool =
  | { readonly code: 'tool_not_found' }
  | {
      readonly code: 'integration_unavailable' | 'auth_context_unavailable';
      readonly slug: string;
      readonly integrationId: string;
    };

/**
 * Tells a tool that is not there from one whose integration is disconnected, disabled or not connected yet, and from
 * one that this caller has no identity for. Speaks only of integrations within the caller's grant: for all others there is no
 * such tool.
 */
export function explainMissing(snapshot: Snapshot, caller: CallerContext, outwardName: string): MissingTool {
  const { granted } = callerView(snapshot, caller);
  const known = findGranted(snapshot, { granted }, outwardName)?.granted;
  const named = granted.find(({ integration }) => isNeverListed(snapshot, integration, outwardName));
  const found = known ?? named;
  if (!found) return { code: 'tool_not_found' };
  const about = { slug: found.integration.slug, integrationId: found.integration.id };
  if (!found.hasIdentity) return { code: 'auth_context_unavailable', ...about };
  const isUnavailable = known ? isOff(snapshot, known.integration) : true;
  return isUnavailable ? { code: 'integration_unavailable', ...about } : { code: 'tool_not_found' };
}

/** An integration without tools has no names to look up. Its prefix is unmistakable: no slug holds a `_`. */
function isNeverListed(snapshot: Snapshot, integration: IntegrationRecord, outwardName: string): boolean {
  if (!outwardName.startsWith(`${integration.slug}_`) || snapshot.tools.get(integration.id)?.length)
    return false;
  return isOff(snapshot, integration) || snapshot.states.get(integration.id)?.state === 'connecting';
}

function isOff(snapshot: Snapshot, integration: IntegrationRecord): boolean {
  return !isServed(integration, snapshot.states.get(integration.id));
}
