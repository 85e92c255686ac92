import { queues } from '@switchyard/contracts';
import type { Consumer, QueueClient } from '@switchyard/queue';
import type { ApprovalsService } from './approvals.service.js';

const concurrency = 8;

/** Decisions that people take in a chat, or by answering a question of their MCP client. */
export class ApprovalDecisionsProcessor {
  constructor(
    private readonly queue: QueueClient,
    private readonly approvals: ApprovalsService,
  ) {}

  start(): Consumer {
    return this.queue.consume(
      queues.approvalDecisions,
      (decision, { redelivered }) => this.approvals.decide(decision, redelivered),
      { concurrency },
    );
  }
}
