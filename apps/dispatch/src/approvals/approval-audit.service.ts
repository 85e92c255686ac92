import { type ApprovalDecision, type PlatformError, queues } from '@switchyard/contracts';
import { RefusalThrottle } from '@switchyard/identity';
import type { QueueClient } from '@switchyard/queue';
import type { Log } from '@switchyard/service-kit';
import type { Approval } from './approval.js';
import { approvalEvents, refusalEvent } from './approval-events.js';
import type { ApprovalsRepository } from './approvals.repository.js';

/** Two events of each at most, and a job of the audit log holds 200. */
const batch = 100;

/**
 * Hands what became of approvals to the audit log. It is told from the rows, not by whoever changed them: so it hears of
 * every request and every end, whoever made the row and whatever process died, at the next tick of a sweeper.
 */
export class ApprovalAudit {
  private readonly throttle = new RefusalThrottle();

  constructor(
    private readonly rows: ApprovalsRepository,
    private readonly queue: QueueClient,
    private readonly log: Log,
  ) {}

  /** Tells what the log has not heard. A worker that dies in between has it told twice, never not at all. */
  async tellAll(): Promise<void> {
    while ((await this.tellSome()) === batch);
  }

  /** A decider who is not let changes no row, so this is told at once, and may be lost with the queue. */
  refused(decision: ApprovalDecision, approval: Approval, error: PlatformError): void {
    const untold = this.throttle.next(approval.orgId);
    if (untold === null) return;
    const event = refusalEvent(decision, approval, error);
    const details = { ...event.details, ...(untold > 0 && { untold }) };
    this.queue
      .enqueue(queues.auditRecords, { v: 1, events: [{ ...event, details }] })
      .catch((err: unknown) => this.log.warn({ err }, 'a refused decision was not audited'));
  }

  private tellSome(): Promise<number> {
    return this.rows.transaction(async (rows) => {
      if (!(await rows.lockAudit())) return 0;
      const news = await rows.unaudited(batch);
      const events = news.flatMap(({ auditedState, ...approval }) => approvalEvents(approval, auditedState));
      if (events.length > 0) await this.queue.enqueue(queues.auditRecords, { v: 1, events });
      if (news.length > 0) await rows.markAudited(news);
      return news.length;
    });
  }
}
