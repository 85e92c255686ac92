import { isDeepStrictEqual } from 'node:util';
import { PlatformError } from '@switchyard/contracts';
import type { CheckedAsk, LeaseAsk } from './lease-ask.js';

/** One reason to refuse a lease, whatever the auth mode. */
export type LeaseCheck = { readonly name: string; readonly refuse: (ask: LeaseAsk) => PlatformError | null };

/** In this order: who asks, for which call, for which integration. */
export const leaseChecks: readonly LeaseCheck[] = [
  { name: 'seal', refuse: refuseForgedCall },
  { name: 'same_call', refuse: refuseOtherCall },
  { name: 'deadline', refuse: refuseLateCall },
  { name: 'organization', refuse: refuseForeignIntegration },
  { name: 'owner', refuse: refuseForeignUser },
  { name: 'enabled', refuse: refuseDisabled },
];

/** The first check that refuses, with its reason; null when the ask may be granted. */
export function firstRefusal(ask: LeaseAsk): { check: string; error: PlatformError } | null {
  for (const check of leaseChecks) {
    const error = check.refuse(ask);
    if (error) return { check: check.name, error };
  }
  return null;
}

/** Whether the ask has its integration; always so once no check refuses. */
export function isChecked(ask: LeaseAsk): ask is CheckedAsk {
  return ask.integration !== null;
}

function refuseForgedCall({ isSealValid }: LeaseAsk): PlatformError | null {
  return isSealValid
    ? null
    : new PlatformError('forbidden', { message: 'The call does not carry a valid seal.' });
}

/** A valid call must not open another integration's or another caller's credential. */
function refuseOtherCall({
  request: { call: sealed, caller, orgId, integrationId },
}: LeaseAsk): PlatformError | null {
  if (!sealed) return caller ? new PlatformError('forbidden', { message: 'Discovery has no caller.' }) : null;
  const { call } = sealed;
  const isSame =
    call.caller.orgId === orgId &&
    call.integrationId === integrationId &&
    isDeepStrictEqual(call.caller, caller);
  return isSame ? null : new PlatformError('forbidden', { message: 'The request and its call differ.' });
}

function refuseLateCall({ request, now }: LeaseAsk): PlatformError | null {
  return request.call && request.call.call.deadlineAt <= now ? new PlatformError('deadline_exceeded') : null;
}

/** `not_found` for both: nobody learns that another organization's integration exists. */
function refuseForeignIntegration({ integration, request }: LeaseAsk): PlatformError | null {
  const isReachable =
    integration !== null && (integration.scope === 'global' || integration.orgId === request.orgId);
  return isReachable ? null : new PlatformError('not_found');
}

/** Discovery reads a user's own integration too; a call reads it for that user alone. */
function refuseForeignUser({ integration, request }: LeaseAsk): PlatformError | null {
  if (integration?.scope !== 'user' || !request.call) return null;
  const isOwner =
    integration.ownerUserId !== null && integration.ownerUserId === request.call.call.caller.userId;
  return isOwner ? null : new PlatformError('not_found');
}

function refuseDisabled({ integration }: LeaseAsk): PlatformError | null {
  return integration?.enabled === false
    ? new PlatformError('integration_unavailable', { message: 'It is disabled.' })
    : null;
}
