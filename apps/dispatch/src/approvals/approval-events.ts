import type { ApprovalDecision, ApprovalState, AuditEvent, PlatformError } from '@switchyard/contracts';
import type { Approval } from './approval.js';

type Told = Pick<AuditEvent, 'action' | 'result' | 'code'>;

const tellings: Record<Exclude<ApprovalState, 'pending'>, Told> = {
  approved: { action: 'approval_granted', result: 'ok', code: null },
  denied: { action: 'approval_denied', result: 'ok', code: null },
  stale: { action: 'approval_refused', result: 'refused', code: 'approval_stale' },
  expired: { action: 'approval_refused', result: 'refused', code: 'approval_expired' },
  cancelled: { action: 'approval_refused', result: 'refused', code: 'cancelled' },
};

/** What the audit log is to hear of an approval of which it last heard that it was `auditedState`; null: nothing yet. */
export function approvalEvents(approval: Approval, auditedState: ApprovalState | null): AuditEvent[] {
  const requested: AuditEvent[] = auditedState === null ? [requestOf(approval)] : [];
  if (approval.state === 'pending') return requested;
  return [
    ...requested,
    {
      ...about(approval),
      ...tellings[approval.state],
      at: (approval.decidedAt ?? new Date()).getTime(),
      actor: deciderOf(approval),
      details: {
        ...facts(approval),
        approved: approval.state === 'approved',
        ...(approval.reason !== null && { reason: approval.reason }),
      },
    },
  ];
}

/** Somebody would have decided and was not let; the call waits on. */
export function refusalEvent(
  { decider, approved, reason }: ApprovalDecision,
  approval: Approval,
  error: PlatformError,
): AuditEvent {
  return {
    ...about(approval),
    at: Date.now(),
    ...{ action: 'approval_refused', result: 'refused', code: error.code },
    actor: { kind: decider.kind, id: decider.kind === 'user' ? decider.userId : null },
    details: { ...facts(approval), approved, ...(reason !== null && { reason }) },
  };
}

function requestOf(approval: Approval): AuditEvent {
  const { askedBy, askedByKey } = approval;
  const kind = askedBy !== null ? 'user' : askedByKey !== null ? 'virtual_key' : 'service';
  return {
    ...about(approval),
    at: approval.createdAt.getTime(),
    ...{ action: 'approval_requested', result: 'ok', code: null },
    actor: { kind, id: askedBy ?? askedByKey ?? approval.agentId },
    details: facts(approval),
  };
}

function deciderOf({ decidedByKind, decidedBy }: Approval): AuditEvent['actor'] {
  return decidedByKind === null
    ? { kind: 'service', id: 'dispatch' }
    : { kind: decidedByKind, id: decidedBy };
}

function about({ orgId, askedBy, integrationId, callId }: Approval) {
  return { orgId, userId: askedBy, integrationId, callId, authPath: null };
}

/** The arguments are in the call's row, which the call's id links; their digest says which they were. */
function facts(approval: Approval): AuditEvent['details'] {
  const { outwardName, argumentsSha256, runKind, runId, agentId } = approval;
  return {
    tool: outwardName,
    arguments_sha256: argumentsSha256,
    run_kind: runKind,
    ...(runId !== null && { run_id: runId }),
    ...(agentId !== null && { agent_id: agentId }),
  };
}
