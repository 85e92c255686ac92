import { type OAuthDiscoveryAnswer, PlatformError, queues } from '@switchyard/contracts';
import type { QueueClient } from '@switchyard/queue';

const concurrency = 4;

/** Takes `oauth-discoveries`. */
export class OAuthDiscoveryProcessor {
  constructor(private readonly queue: QueueClient) {}

  onApplicationBootstrap(): void {
    this.queue.consume(queues.oauthDiscoveries, () => this.#process(), { concurrency });
  }

  async #process(): Promise<OAuthDiscoveryAnswer> {
    return { status: 'refused', error: new PlatformError('dependency_unavailable').toInfo() };
  }
}
