import { mayDecide, type Snapshot } from '@switchyard/access';
import { type ApprovalDecision, PlatformError } from '@switchyard/contracts';
import type { ApiCaller } from '@switchyard/identity';
import type { FastifyRequest } from 'fastify';
import { approvalAnswer } from './approval-answer.js';
import type { Approval } from './approval.js';
import type { ApprovalFilter, ApprovalsRepository } from './approvals.repository.js';
import type { ApprovalsService } from './approvals.service.js';
import { type Approvers, deciderOf, seesAll } from './approvers.service.js';

/** Token under which the desk is injected. */
export const APPROVALS_DESK = Symbol('approvals desk');

type Wanted = Omit<ApprovalFilter, 'orgId' | 'seenBy' | 'decidableBy'> & { readonly isMine: boolean };

/** What the API shows to whom. Users see what they asked for and what they may decide; admins and auditors see all. */
export class ApprovalsDesk {
  constructor(
    private readonly approvers: Approvers,
    private readonly rows: ApprovalsRepository,
    private readonly approvals: ApprovalsService,
    private readonly snapshot: () => Snapshot,
  ) {}

  authenticate(request: FastifyRequest): Promise<ApiCaller> {
    return this.approvers.authenticate(request);
  }

  async list(
    caller: ApiCaller,
    { isMine, ...wanted }: Wanted,
    page: { after: string | null; limit: number },
  ) {
    const filter: ApprovalFilter = {
      ...wanted,
      orgId: caller.orgId,
      ...(caller.kind === 'user' &&
        !seesAll(caller) && { seenBy: { userId: caller.userId, roles: caller.person.roles } }),
      ...(isMine && { decidableBy: deciderOf(caller) }),
    };
    const rows = await this.rows.list(filter, page);
    return rows.map((row) => approvalAnswer(row, this.snapshot()));
  }

  async show(caller: ApiCaller, callId: string) {
    const approval = await this.find(caller, callId);
    return {
      ...approvalAnswer(approval, this.snapshot()),
      arguments: await this.rows.argumentsOf(callId),
      may_decide: approval.state === 'pending' && mayDecide(deciderOf(caller), approval),
    };
  }

  /** `forbidden` only for those who see it: to all others it is not there. */
  async decide(caller: ApiCaller, decision: ApprovalDecision) {
    await this.find(caller, decision.callId);
    const answer = await this.approvals.decide(decision);
    if (answer.status === 'refused') throw PlatformError.fromInfo(answer.error);
    return this.show(caller, decision.callId);
  }

  private async find(caller: ApiCaller, callId: string): Promise<Approval> {
    const approval = await this.rows.find(callId, caller.orgId);
    if (!approval || !isSeenBy(caller, approval)) throw new PlatformError('not_found');
    return approval;
  }
}

function isSeenBy(caller: ApiCaller, approval: Approval): boolean {
  if (seesAll(caller)) return true;
  if (caller.kind === 'user' && caller.userId === approval.askedBy) return true;
  return mayDecide(deciderOf(caller), approval);
}
