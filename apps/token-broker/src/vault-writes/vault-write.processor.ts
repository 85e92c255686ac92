import { queues } from '@switchyard/contracts';
import type { QueueClient } from '@switchyard/queue';
import { withLogContext } from '@switchyard/service-kit';
import type { VaultWritesService } from './vault-writes.service.js';

const concurrency = 4;

/** Takes `vault-writes`. */
export class VaultWriteProcessor {
  constructor(
    private readonly queue: QueueClient,
    private readonly writes: VaultWritesService,
  ) {}

  onApplicationBootstrap(): void {
    const { queue, writes } = this;
    queue.consume(
      queues.vaultWrites,
      (write, { enqueuedAt }) =>
        withLogContext({ integrationId: write.integrationId }, () => writes.apply(write, enqueuedAt)),
      {
        concurrency,
      },
    );
  }
}
