import type { AuditEvent, LeaseRequest } from '@switchyard/contracts';

/** Who asked for a lease, for whom and for what, for the audit log. */
export function leaseFacts({ orgId, integrationId, call, caller }: LeaseRequest) {
  return {
    orgId,
    integrationId,
    actor: actorOf(caller),
    userId: caller?.userId ?? null,
    callId: call?.call.callId ?? null,
  };
}

function actorOf(caller: LeaseRequest['caller']): AuditEvent['actor'] {
  if (!caller) return { kind: 'service', id: 'discovery' };
  if (caller.kind === 'user') return { kind: 'user', id: caller.userId };
  if (caller.kind === 'service') return { kind: 'virtual_key', id: caller.virtualKeyId };
  return { kind: 'anonymous', id: null };
}
