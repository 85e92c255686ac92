import { Injectable } from '@nestjs/common';
import { RefusalThrottle } from '@switchyard/identity';
import { AuditLogService } from '../audit/audit-log.service.js';
import type { UserCaller } from '../callers/caller.js';
import { type ConsentProblem, type ConsentReason, consentProblems } from './consent-problem.js';

const ofDiscovery = new Set<ConsentReason>(['vendor_unusable', 'address_refused']);

/** Writes refusals of consents into the audit log of the user's organization. */
@Injectable()
export class ConsentReportsService {
  /** Anybody can send an answer without a session; and a user as many as they like. */
  readonly #throttle = new RefusalThrottle();

  constructor(private readonly audit: AuditLogService) {}

  async refused(user: UserCaller | null, { reason, integrationId }: ConsentProblem): Promise<void> {
    const untold = this.#throttle.next(user?.userId ?? null);
    if (untold === null) return;
    await this.audit.note({
      ...actorOf(user),
      action: ofDiscovery.has(reason) ? 'discovery_refused' : 'consent_refused',
      result: reason === 'vendor_unavailable' ? 'failed' : 'refused',
      integrationId,
      code: consentProblems[reason][1],
      details: { reason, ...(untold > 0 && { untold }) },
    });
  }
}

function actorOf(user: UserCaller | null) {
  if (!user) return { orgId: null, userId: null, actor: { kind: 'anonymous', id: null } } as const;
  const { orgId, userId } = user;
  return { orgId, userId, actor: { kind: 'user', id: userId } } as const;
}
