import { type OAuthDiscovery, type OAuthDiscoveryAnswer, queues } from '@switchyard/contracts';
import type { QueueClient } from '@switchyard/queue';
import type { OAuthDiscoveriesService } from './oauth-discoveries.service.js';

const concurrency = 4;

/** Takes `oauth-discoveries`. */
export class OAuthDiscoveryProcessor {
  constructor(
    private readonly queue: QueueClient,
    private readonly discoveries: OAuthDiscoveriesService,
  ) {}

  onApplicationBootstrap(): void {
    this.queue.consume(queues.oauthDiscoveries, (discovery) => this.#process(discovery), { concurrency });
  }

  async #process(discovery: OAuthDiscovery): Promise<OAuthDiscoveryAnswer> {
    return this.discoveries.discover(discovery);
  }
}
