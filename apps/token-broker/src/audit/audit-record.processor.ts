import { type AuditRecords, queues } from '@switchyard/contracts';
import type { QueueClient } from '@switchyard/queue';
import type { Log } from '@switchyard/service-kit';

const concurrency = 4;

/** Takes `audit-records`: what other services refused at their doors. */
export class AuditRecordProcessor {
  constructor(
    private readonly queue: QueueClient,
    private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.queue.consume(queues.auditRecords, (records) => this.#process(records), { concurrency });
  }

  async #process({ events }: AuditRecords): Promise<{ written: number }> {
    for (const event of events) this.log.info({ event }, 'audit');
    return { written: events.length };
  }
}
