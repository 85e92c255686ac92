import type { CallerContext } from '@switchyard/contracts';
import type { IntegrationRecord } from './records.js';
import type { Snapshot } from './snapshot.js';

/** Whether a user is present, by whose own credentials tools can be called. A plain virtual key has nobody. */
export function isAttended(caller: CallerContext): boolean {
  return caller.kind === 'user' && caller.userId !== null && !isUnattendedRun(caller);
}

/** Runs that nobody started by hand. They never see integrations of single users. */
export function isUnattendedRun(caller: CallerContext): boolean {
  return caller.runKind === 'schedule' || caller.runKind === 'webhook';
}

/**
 * Whether there is an identity under which the caller can call the integration (`architecture.md`, "Who a call runs as").
 * A user who is present and has not connected yet counts as one: the tool stays in the list, and the call says where to
 * connect. Where nobody is present nobody could, so the list holds only what really works.
 */
export function hasIdentity(
  snapshot: Snapshot,
  integration: IntegrationRecord,
  caller: CallerContext,
): boolean {
  switch (integration.authMode) {
    case 'none':
    case 'client_credentials':
      return true;
    case 'headers':
      return integration.userHeaderNames.length === 0 || isAttended(caller);
    case 'authorization_code':
      return isAttended(caller) || hasServiceUser(snapshot, integration, caller);
    case 'token_exchange':
      return isAttended(caller) && caller.hasSubjectToken;
  }
}

/**
 * The designated service user: an active user whose credential lives, for callers of their organization. A global
 * integration is everybody's, but its service user is one organization's person.
 */
function hasServiceUser(
  snapshot: Snapshot,
  integration: IntegrationRecord,
  { orgId }: CallerContext,
): boolean {
  const state = snapshot.serviceCredentials.get(integration.id);
  const isAlive = integration.serviceUserActive && (state === 'active' || state === 'needs_update');
  return isAlive && integration.orgId === orgId;
}
