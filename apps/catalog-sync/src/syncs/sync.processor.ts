import { type CatalogSyncJob, type CatalogSyncOutcome, queues } from '@switchyard/contracts';
import type { JobContext, QueueClient } from '@switchyard/queue';
import { type Kit, withLogContext } from '@switchyard/service-kit';
import type { SyncsService } from './syncs.service.js';

/** How long a sync waits for another of the same integration before it looks again. */
const busyDelayMs = 500;
/** How long a sync may go on when the process ends. */
const drainMs = 2_000;

type SyncContext = JobContext<typeof queues.catalogSync>;

/** Takes `catalog-sync`. */
export class SyncProcessor {
  readonly #ending = new AbortController();

  constructor(
    private readonly queue: QueueClient,
    private readonly syncs: SyncsService,
    private readonly kit: Pick<Kit, 'metrics' | 'shutdown'>,
    private readonly concurrency: number,
  ) {}

  onApplicationBootstrap(): void {
    // A sync that is cut off is made up for by whoever watches the integration next: draining need not wait for it.
    this.kit.shutdown.onStopTaking(() => void setTimeout(() => this.#ending.abort(), drainMs).unref());
    this.queue.consume(queues.catalogSync, (job, context) => this.#process(job, context), {
      concurrency: this.concurrency,
    });
  }

  async #process(job: CatalogSyncJob, context: SyncContext): Promise<CatalogSyncOutcome | void> {
    const startedAt = performance.now();
    const signal = AbortSignal.any([context.signal, this.#ending.signal]);
    const outcome = await withLogContext({ integrationId: job.integrationId }, () =>
      this.syncs.sync(job, signal),
    );
    if (outcome === 'busy') return context.requeue(job, { delayMs: busyDelayMs, jobId: nextJobId(context) });
    this.#measure(job, outcome, (performance.now() - startedAt) / 1_000);
    return outcome;
  }

  #measure({ reason }: CatalogSyncJob, { status: outcome }: CatalogSyncOutcome, seconds: number): void {
    const { metrics } = this.kit;
    metrics
      .counter({
        name: 'switchyard_catalog_syncs_total',
        help: 'Catalog syncs.',
        labelNames: ['reason', 'outcome'],
      })
      .inc({ reason, outcome });
    metrics
      .histogram({
        name: 'switchyard_catalog_sync_duration_seconds',
        help: 'Time from connecting to the written catalog.',
        labelNames: ['outcome'],
      })
      .observe({ outcome }, seconds);
  }
}

/** `<job id>-r<n>`: an id of its own, for the job itself is still there. */
function nextJobId({ jobId }: SyncContext): string {
  const [, base = jobId, round = '0'] = /^(.*?)(?:-r(\d+))?$/.exec(jobId) ?? [];
  return `${base}-r${Number(round) + 1}`;
}
