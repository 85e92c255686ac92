import type { OnApplicationBootstrap } from '@nestjs/common';
import { agentRunQueue, laneOf, type MessageOf, topics } from '@switchyard/contracts';
import type { QueueClient } from '@switchyard/queue';
import type { Kit } from '@switchyard/service-kit';
import type { ClaimsRepository } from './claims.repository.js';
import type { RunsService } from './runs.service.js';
import type { WaitingRuns } from './waiting-runs.service.js';

const batch = 200;
/** For news that the bus lost; what it brings is sooner. */
const lostNewsMs = 5_000;

type Parts = {
  readonly claims: ClaimsRepository;
  readonly waiting: WaitingRuns;
  readonly runs: Pick<RunsService, 'cancel'>;
  readonly queue: QueueClient;
  readonly kit: Pick<Kit, 'log' | 'shutdown'>;
};

/**
 * Keeps the promise that a run goes on: what waits without a job, and what a dead runner held, is enqueued again; what waits
 * for somebody who has acted by now, or for the run before it, wakes. And a run ends with its agent.
 * Every replica sweeps; row locks keep them off each other's rows, and claims make a job too many do nothing.
 */
export class RunSweeper implements OnApplicationBootstrap {
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> | undefined;
  #lookedForNewsAt = 0;

  constructor(
    private readonly parts: Parts,
    private readonly tickMs: number,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.parts.queue.subscribe(topics.registryChanged, (change) => this.#follow(change));
    this.#timer = setInterval(() => void this.#tick(), this.tickMs);
    this.parts.kit.shutdown.onStopTaking(async () => {
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
      await this.parts.claims.releaseHeld();
      await this.#findLostNews();
      for (const { runId, orgId, fence, runKind } of await this.parts.claims.takeDue(batch)) {
        const job = { v: 1, runId, orgId } as const;
        await this.parts.queue.enqueue(agentRunQueue(laneOf(runKind)), job, { jobId: `${runId}-${fence}` });
      }
    } catch (err) {
      this.parts.kit.log.warn({ err }, 'runs could not be swept');
    }
  }

  async #findLostNews(): Promise<void> {
    if (Date.now() - this.#lookedForNewsAt < lostNewsMs) return;
    this.#lookedForNewsAt = Date.now();
    await this.parts.waiting.sweep();
    await this.#cancelOrphans();
  }

  async #follow({ entity, change }: MessageOf<typeof topics.registryChanged>): Promise<void> {
    if (entity !== 'agent' || change !== 'deleted') return;
    await this.#cancelOrphans().catch((err: unknown) =>
      this.parts.kit.log.warn({ err }, 'the runs of a removed agent are left to the next sweep'),
    );
  }

  /** Nobody could say any more whom they speak for; and what of them waits must not be approved. */
  async #cancelOrphans(): Promise<void> {
    for (const { runId, orgId } of await this.parts.claims.orphans(batch))
      await this.parts.runs.cancel(orgId, runId);
  }
}
