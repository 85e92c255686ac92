import { Injectable } from '@nestjs/common';
import { queues, topics } from '@switchyard/contracts';
import type { MessageOf, PayloadOf } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import { Log } from '@switchyard/service-kit';

type Change = MessageOf<typeof topics.registryChanged>;
type SyncReason = PayloadOf<typeof queues.catalogSync>['reason'];

/**
 * Tells the other services what was committed. What is committed stays committed when the queue is away: the version
 * row, which everybody polls, tells the same a second later, and catalog-sync finds by it what has to be synced.
 */
@Injectable()
export class ChangesService {
  constructor(
    private readonly queue: QueueClient,
    private readonly log: Log,
  ) {}

  async announce(change: Change): Promise<void> {
    await this.attempt('a change event was not sent', () =>
      this.queue.publish(topics.registryChanged, change),
    );
  }

  /** Asks for a sync after a change of the integration. */
  async requestSync(orgId: string, integrationId: string, reason: SyncReason): Promise<void> {
    const job = { v: 1, orgId, integrationId, reason } as const;
    await this.attempt('a sync job was not enqueued', () => this.queue.enqueue(queues.catalogSync, job));
  }

  private async attempt(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (err) {
      this.log.warn({ err }, what);
    }
  }
}
