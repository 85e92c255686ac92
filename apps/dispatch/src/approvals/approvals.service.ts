import {
  type ApprovalDecision,
  type ApprovalDecisionAnswer,
  PlatformError,
  toolCallQueue,
  topics,
  toPlatformError,
} from '@switchyard/contracts';
import { type QueueClient, sealToolCall } from '@switchyard/queue';
import type { Log } from '@switchyard/service-kit';
import { jobId, jobOf, type WaitingCall } from '../ledger/waiting-call.js';
import type { Approval, LockedCall } from './approval.js';
import type { ApprovalAudit } from './approval-audit.service.js';
import type { ApprovalsRepository } from './approvals.repository.js';
import { assertMayDecide, type Judges, whyStale } from './judge-approval.js';

export type ApprovalsParts = Judges & {
  readonly rows: ApprovalsRepository;
  readonly queue: QueueClient;
  readonly audit: ApprovalAudit;
  /** Brings the snapshot up to date. */
  readonly refresh: () => Promise<void>;
  readonly log: Log;
};

type Decided =
  | { state: 'known'; approval: Approval }
  | { state: 'approved'; approval: Approval; call: WaitingCall }
  | { state: 'denied'; approval: Approval }
  | { state: 'stale'; approval: Approval; error: PlatformError };

/**
 * Decides about calls that wait for a person. One transaction, which begins by locking the call's row: of many deciders the
 * first one's word stands, and the others are told so.
 */
export class ApprovalsService {
  constructor(private readonly parts: ApprovalsParts) {}

  /**
   * Never throws: what the decider is to hear of is in the answer. `again`: a worker may have recorded this very decision and
   * died before it said so.
   */
  async decide(decision: ApprovalDecision, again = false): Promise<ApprovalDecisionAnswer> {
    try {
      const decided = await this.record(decision, again);
      await this.tell(decided);
      return answerOf(decided);
    } catch (thrown) {
      const error = toPlatformError(thrown);
      if (error.code !== 'internal') return { status: 'refused', error: error.toInfo() };
      this.parts.log.error({ err: thrown }, 'a decision could not be recorded');
      return { status: 'refused', error: new PlatformError('dependency_unavailable').toInfo() };
    }
  }

  private async record(decision: ApprovalDecision, again: boolean): Promise<Decided> {
    // Before the transaction: within it nothing else may wait for a connection of the pool.
    await this.parts.refresh();
    const { callId, orgId } = decision;
    return this.parts.rows.transaction(async (rows) => {
      const locked = await rows.lock(callId, orgId);
      if (!locked) throw new PlatformError('not_found');
      if (again && isTheirWord(decision, locked.approval))
        return { state: 'known', approval: locked.approval };
      try {
        assertMayDecide(decision, locked.approval, this.parts.snapshot());
      } catch (thrown) {
        this.parts.audit.refused(decision, locked.approval, toPlatformError(thrown));
        throw thrown;
      }
      return decision.approved ? this.approve(decision, locked, rows) : this.deny(decision, locked, rows);
    });
  }

  private async approve(
    decision: ApprovalDecision,
    locked: LockedCall,
    rows: ApprovalsRepository,
  ): Promise<Decided> {
    const { approval } = locked;
    const why = (await whyRunIsOver(approval, rows)) ?? whyStale(locked, this.parts);
    if (why !== undefined) {
      const error = new PlatformError('approval_stale', { message: why });
      await rows.refuse(approval.callId, 'stale', { ...by(decision), error: error.toInfo() });
      return { state: 'stale', approval, error };
    }
    const { call: asked } = locked.call.sealed;
    const sealed = sealToolCall(this.parts.sealer, {
      ...asked,
      deadlineAt: Date.now() + approval.deadlineMs,
    });
    const call = await rows.approve(approval.callId, sealed, by(decision));
    if (!call) throw new PlatformError('conflict', { message: 'The call does not wait for approval.' });
    return { state: 'approved', approval, call };
  }

  private async deny(
    decision: ApprovalDecision,
    { approval }: LockedCall,
    rows: ApprovalsRepository,
  ): Promise<Decided> {
    const { reason } = by(decision);
    const error = new PlatformError(
      'approval_denied',
      reason === null ? {} : { message: `Reason: ${reason}`, details: { reason } },
    );
    await rows.refuse(approval.callId, 'denied', { ...by(decision), error: error.toInfo() });
    return { state: 'denied', approval };
  }

  /** All of it can be lost: the sweeper enqueues what waits, and who waits for news looks at the ledger. */
  private async tell(decided: Decided): Promise<void> {
    const { queue, log } = this.parts;
    const { orgId, callId, runId } = decided.approval;
    if (decided.state === 'known') return;
    const news = [
      decided.state === 'approved'
        ? this.enqueue(decided.call)
        : queue.publish(topics.toolCallEnded, { callId }),
      queue.publish(topics.approvalDecided, { orgId, callId, runId }),
    ];
    for (const result of await Promise.allSettled(news))
      if (result.status === 'rejected')
        log.warn({ err: result.reason as unknown }, 'a decision was not announced');
  }

  private async enqueue(call: WaitingCall): Promise<void> {
    await this.parts.queue.enqueue(toolCallQueue(call.lane), jobOf(call), {
      jobId: jobId(call),
      correlationId: call.call_id,
    });
  }
}

/** Its runner cancels the calls too, but that can be later. */
async function whyRunIsOver(
  { runId, orgId }: Approval,
  rows: ApprovalsRepository,
): Promise<string | undefined> {
  if (runId === null || !(await rows.isRunOver(runId, orgId))) return undefined;
  return 'Its run was cancelled or has ended.';
}

function answerOf(decided: Decided): ApprovalDecisionAnswer {
  switch (decided.state) {
    case 'stale':
      return { status: 'refused', error: decided.error.toInfo() };
    case 'known':
      return { status: 'decided', state: decided.approval.state, callState: decided.approval.callState };
    case 'approved':
      return { status: 'decided', state: decided.state, callState: 'queued' };
    case 'denied':
      return { status: 'decided', state: decided.state, callState: 'denied' };
  }
}

function isTheirWord({ decider, approved }: ApprovalDecision, approval: Approval): boolean {
  return (
    approval.state === (approved ? 'approved' : 'denied') &&
    approval.decidedByKind === decider.kind &&
    approval.decidedBy === (decider.kind === 'user' ? decider.userId : null)
  );
}

/** PostgreSQL takes no NUL, and no half of a surrogate pair. */
function by({ decider, reason }: ApprovalDecision): Pick<ApprovalDecision, 'decider' | 'reason'> {
  const clean = reason?.replaceAll('\0', '').toWellFormed().trim();
  return { decider, reason: clean ? clean : null };
}
