import { type AuditRecords, queues } from '@switchyard/contracts';
import type { QueueClient } from '@switchyard/queue';
import type { AuditLogService } from './audit-log.service.js';

const concurrency = 4;

/** Takes `audit-records`: what other services refused at their doors. */
export class AuditRecordProcessor {
  constructor(
    private readonly queue: QueueClient,
    private readonly audit: AuditLogService,
  ) {}

  onApplicationBootstrap(): void {
    this.queue.consume(queues.auditRecords, (records) => this.#process(records), { concurrency });
  }

  /** All or, where the log cannot be written, a failed job: whoever waits for the answer hears of it. */
  async #process({ events }: AuditRecords): Promise<{ written: number }> {
    await Promise.all(events.map((event) => this.audit.record(event)));
    return { written: events.length };
  }
}
