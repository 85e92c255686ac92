import { type LeaseAnswer, type LeaseRequest, queues } from '@switchyard/contracts';
import type { QueueClient } from '@switchyard/queue';
import { Metrics, withLogContext } from '@switchyard/service-kit';
import type { LeasesService } from './leases.service.js';

/** Takes `token-leases`. */
export class LeaseProcessor {
  constructor(
    private readonly queue: QueueClient,
    private readonly leases: LeasesService,
    private readonly metrics: Metrics,
    private readonly concurrency: number,
  ) {}

  onApplicationBootstrap(): void {
    this.queue.consume(queues.tokenLeases, (request) => this.#process(request), {
      concurrency: this.concurrency,
    });
  }

  async #process(request: LeaseRequest): Promise<LeaseAnswer> {
    const { call, integrationId } = request;
    const answer = await withLogContext({ callId: call?.call.callId, integrationId }, () =>
      this.leases.answer(request),
    );
    const outcome = answer.status === 'granted' ? answer.authPath : answer.error.code;
    this.metrics
      .counter({
        name: 'switchyard_leases_total',
        help: 'Leases asked of the token broker, by auth path or error.',
        labelNames: ['outcome'],
      })
      .inc({ outcome });
    return answer;
  }
}
