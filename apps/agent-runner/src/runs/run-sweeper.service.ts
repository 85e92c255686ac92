import type { OnApplicationBootstrap } from '@nestjs/common';
import { queues } from '@switchyard/contracts';
import type { QueueClient } from '@switchyard/queue';
import type { Kit } from '@switchyard/service-kit';
import type { ClaimsRepository } from './claims.repository.js';

const batch = 200;

/**
 * Keeps the promise that a run goes on: what waits without a job, and what a dead runner held, is enqueued again.
 * Every replica sweeps; row locks keep them off each other's rows, and claims make a job too many do nothing.
 */
export class RunSweeper implements OnApplicationBootstrap {
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> | undefined;

  constructor(
    private readonly claims: ClaimsRepository,
    private readonly queue: QueueClient,
    private readonly kit: Pick<Kit, 'log' | 'shutdown'>,
    private readonly tickMs: number,
  ) {}

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => void this.#tick(), this.tickMs);
    this.kit.shutdown.onStopTaking(async () => {
      clearInterval(this.#timer);
      await this.#sweeping;
    });
  }

  async #tick(): Promise<void> {
    this.#sweeping ??= this.#sweep().finally(() => (this.#sweeping = undefined));
    await this.#sweeping;
  }

  async #sweep(): Promise<void> {
    try {
      for (const { runId, orgId, fence } of await this.claims.takeDue(batch))
        await this.queue.enqueue(queues.agentRuns, { v: 1, runId, orgId }, { jobId: `${runId}-${fence}` });
    } catch (err) {
      this.kit.log.warn({ err }, 'runs could not be swept');
    }
  }
}
