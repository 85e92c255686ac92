import { QueueClient } from '@switchyard/queue';
import { Log, Metrics, Readiness, Shutdown } from '@switchyard/service-kit';
import type { CatalogSyncConfig } from '../config.js';
import { IntegrationsRepository } from '../integrations/integrations.repository.js';
import { CatalogNewsService } from '../states/catalog-news.service.js';
import { ChecksService } from '../states/checks.service.js';
import { UpstreamsService } from '../upstreams/upstreams.service.js';
import { Gate } from './gate.js';
import { ReconcileRepository } from './reconcile.repository.js';
import { SyncRequestsService } from './sync-requests.service.js';
import { exposeUpstreamStates } from './watch-metrics.js';
import { WatcherService } from './watcher.service.js';
import { WatchesRepository } from './watches.repository.js';

/** Checks that one process makes at once; a fleet of upstreams that hangs must not exhaust its sockets. */
const checksAtOnce = 32;

const inject = [
  QueueClient,
  IntegrationsRepository,
  ReconcileRepository,
  WatchesRepository,
  CatalogNewsService,
  UpstreamsService,
  ChecksService,
  SyncRequestsService,
  Log,
  Metrics,
  Shutdown,
  Readiness,
];

/** In the order of `inject`. */
type Injected = [
  QueueClient,
  IntegrationsRepository,
  ReconcileRepository,
  WatchesRepository,
  CatalogNewsService,
  UpstreamsService,
  ChecksService,
  SyncRequestsService,
  Log,
  Metrics,
  Shutdown,
  Readiness,
];

/** The watcher with all its parts; its integrations are handed over before the process drains. */
export function watcherProvider({ health, watch }: CatalogSyncConfig) {
  return {
    provide: WatcherService,
    inject,
    useFactory: (...parts: Injected) => {
      const [
        queue,
        integrations,
        reconciler,
        watches,
        news,
        upstreams,
        checks,
        syncRequests,
        log,
        metrics,
        shutdown,
        readiness,
      ] = parts;
      const gate = new Gate(checksAtOnce);
      const watcher = new WatcherService({
        ...{ queue, integrations, reconciler, watches, news, upstreams, checks, syncRequests, log, gate },
        settings: health,
        times: watch,
      });
      exposeUpstreamStates(metrics, watcher);
      shutdown.onStopTaking(() => watcher.stop());
      readiness.add('watcher', () => watcher.check());
      return watcher;
    },
  };
}
