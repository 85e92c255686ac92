import type { Metrics } from '@switchyard/service-kit';
import type { WatcherService } from './watcher.service.js';

/** `switchyard_upstream_state`: 1 for the state in which an integration is, told by the replica that watches it. */
export function exposeUpstreamStates(metrics: Metrics, watcher: WatcherService): void {
  metrics.gauge({
    name: 'switchyard_upstream_state',
    help: 'Integrations watched by this process, 1 for the state in which each is.',
    labelNames: ['organization', 'slug', 'state'],
    collect() {
      this.reset();
      for (const { integration, standing } of watcher.watched) {
        this.set({ organization: integration.orgId, slug: integration.slug, state: standing.state }, 1);
      }
    },
  });
}
