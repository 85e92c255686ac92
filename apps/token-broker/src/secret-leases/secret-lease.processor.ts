import { queues, type SecretLeaseAnswer, type SecretLeaseRequest } from '@switchyard/contracts';
import type { QueueClient } from '@switchyard/queue';
import { Metrics } from '@switchyard/service-kit';
import type { SecretLeasesService } from './secret-leases.service.js';

/** Takes `secret-leases`. */
export class SecretLeaseProcessor {
  constructor(
    private readonly queue: QueueClient,
    private readonly leases: SecretLeasesService,
    private readonly metrics: Metrics,
    private readonly concurrency: number,
  ) {}

  onApplicationBootstrap(): void {
    this.queue.consume(queues.secretLeases, (request) => this.#process(request), {
      concurrency: this.concurrency,
    });
  }

  async #process(request: SecretLeaseRequest): Promise<SecretLeaseAnswer> {
    const answer = await this.leases.answer(request);
    const outcome = answer.status === 'granted' ? answer.status : answer.error.code;
    this.metrics
      .counter({
        name: 'switchyard_secret_leases_total',
        help: 'Keys of models and secrets of webhooks asked of the token broker, by kind and outcome.',
        labelNames: ['kind', 'outcome'],
      })
      .inc({ kind: request.kind, outcome });
    return answer;
  }
}
