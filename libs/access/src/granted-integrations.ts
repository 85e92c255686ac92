import type { CallerContext } from '@switchyard/contracts';
import { callerView } from './caller-view.js';
import type { IntegrationRecord } from './records.js';
import type { Snapshot } from './snapshot.js';

/**
 * The enabled integrations of which the caller may use something under an identity that there is or could be, whatever
 * is known of their tools by now: one that a user has not connected yet may not even be discovered.
 */
export function grantedIntegrations(snapshot: Snapshot, caller: CallerContext): IntegrationRecord[] {
  return callerView(snapshot, caller)
    .granted.filter(({ integration, hasIdentity }) => integration.enabled && hasIdentity)
    .map(({ integration }) => integration)
    .sort((a, b) => a.slug.localeCompare(b.slug, 'en'));
}
