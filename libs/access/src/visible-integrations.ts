import type { CallerContext } from '@switchyard/contracts';
import { isAttended, isUnattendedRun } from './available-auth.js';
import type { IntegrationRecord } from './records.js';
import type { Snapshot } from './snapshot.js';

const precedence = { user: 0, organization: 1, global: 2 } as const;

/** Modes under which the platform calls as itself. Anonymous callers get no others: never somebody's credential. */
const serviceModes = new Set(['none', 'headers', 'client_credentials']);

/**
 * The integrations whose scope reaches the caller, one for each slug: a user's own wins over the organization's over
 * the global one. Who wins is settled before anything else is asked, the state included: a slug never turns to
 * another server because its own is switched off. Disabled and disconnected ones are therefore among them, and those
 * that are not available to the caller.
 */
export function integrationsInScope(snapshot: Snapshot, caller: CallerContext): IntegrationRecord[] {
  const bySlug = new Map<string, IntegrationRecord>();
  for (const integration of candidates(snapshot, caller)) {
    const other = bySlug.get(integration.slug);
    if (!other || precedence[integration.scope] < precedence[other.scope])
      bySlug.set(integration.slug, integration);
  }
  return [...bySlug.values()];
}

function candidates(snapshot: Snapshot, caller: CallerContext): IntegrationRecord[] {
  const own = (snapshot.integrationsByOrg.get(caller.orgId) ?? []).filter(
    ({ scope, ownerUserId }) =>
      scope === 'organization' || (scope === 'user' && isOwner(caller, ownerUserId)),
  );
  return [...own, ...snapshot.globalIntegrations];
}

function isOwner(caller: CallerContext, ownerUserId: string | null): boolean {
  return caller.userId !== null && caller.userId === ownerUserId && !isUnattendedRun(caller);
}

/** Whether the integration is there for callers of this kind. */
export function isAvailable(integration: IntegrationRecord, caller: CallerContext): boolean {
  if (caller.kind === 'anonymous' && !serviceModes.has(integration.authMode)) return false;
  return isAttended(caller) ? integration.availableInChat : integration.availableToAutonomous;
}
