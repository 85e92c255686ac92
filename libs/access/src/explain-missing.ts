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
      readonly code: 'integration_unavailable' | 'auth_mode_unavailable';
      readonly slug: string;
      readonly integrationId: string;
    };

/** The others wait for the identity work; their tools cannot be listed yet. */
const availableModes = new Set<IntegrationRecord['authMode']>(['none', 'headers']);

/**
 * Tells a tool that is not there from one whose integration is disconnected, disabled, not connected yet or of an
 * auth mode that is not available. Speaks only of integrations within the caller's grant: for all others there is no
 * such tool.
 */
export function explainMissing(snapshot: Snapshot, caller: CallerContext, outwardName: string): MissingTool {
  const { granted } = callerView(snapshot, caller);
  const known = findGranted(snapshot, { granted }, outwardName)?.integration;
  const named = granted.find(({ integration }) =>
    isNeverListed(snapshot, integration, outwardName),
  )?.integration;
  const unavailable = known ? isOff(snapshot, known) : named !== undefined;
  const integration = known ?? named;
  if (!integration || !unavailable) return { code: 'tool_not_found' };
  const code = availableModes.has(integration.authMode) ? 'integration_unavailable' : 'auth_mode_unavailable';
  return { code, slug: integration.slug, integrationId: integration.id };
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
