import { type DynamicModule, type OnApplicationBootstrap, Module } from '@nestjs/common';
import { DatabaseModule, Sql } from '@switchyard/database';
import { createEgressPolicy, EgressPolicy } from '@switchyard/mcp-client';
import { assertConsumers, QueueClient, QueueModule } from '@switchyard/queue';
import { Log, Metrics, Shutdown } from '@switchyard/service-kit';
import { ApprovalsProcessor } from './approvals/approvals.processor.js';
import { ApprovalsRepository } from './approvals/approvals.repository.js';
import { FeaturesRepository } from './catalog/features.repository.js';
import { ToolsRepository } from './catalog/tools.repository.js';
import type { CatalogSyncConfig, SyncSettings } from './config.js';
import { IntegrationsRepository } from './integrations/integrations.repository.js';
import { CatalogNewsService } from './states/catalog-news.service.js';
import { ChecksService, type StateSettings } from './states/checks.service.js';
import { StatesRepository } from './states/states.repository.js';
import { ClaimsRepository } from './syncs/claims.repository.js';
import { SyncProcessor } from './syncs/sync.processor.js';
import { SyncResultsService } from './syncs/sync-results.service.js';
import { SyncsService } from './syncs/syncs.service.js';
import { DiscoveryLeaseService } from './upstreams/discovery-lease.service.js';
import { UpstreamsService } from './upstreams/upstreams.service.js';
import { ReconcileRepository } from './watches/reconcile.repository.js';
import { SyncRequestsService } from './watches/sync-requests.service.js';
import { watcherProvider } from './watches/watcher.provider.js';
import { WatchesRepository } from './watches/watches.repository.js';

@Module({})
export class CatalogSyncModule implements OnApplicationBootstrap {
  constructor(private readonly queue: QueueClient) {}

  static forRoot(config: CatalogSyncConfig): DynamicModule {
    return {
      module: CatalogSyncModule,
      imports: [
        DatabaseModule.forRoot({
          url: config.databaseUrl,
          schema: 'catalog',
          applicationName: 'catalog-sync',
        }),
        QueueModule.forRoot({
          url: config.queueUrl,
          sealKey: config.sealKey,
          service: 'catalog-sync',
          prefix: config.queuePrefix,
        }),
      ],
      providers: [
        ...stores(),
        ...upstreams(config),
        ...syncs(config),
        SyncRequestsService,
        ApprovalsProcessor,
        watcherProvider(config),
      ],
    };
  }

  onApplicationBootstrap(): void {
    assertConsumers('catalog-sync', this.queue.consumed);
  }
}

function stores() {
  return [
    IntegrationsRepository,
    StatesRepository,
    ToolsRepository,
    ApprovalsRepository,
    FeaturesRepository,
    ClaimsRepository,
    ReconcileRepository,
    WatchesRepository,
    CatalogNewsService,
  ];
}

function upstreams({ egress }: CatalogSyncConfig) {
  const policy = {
    provide: EgressPolicy,
    inject: [Shutdown],
    useFactory: (shutdown: Shutdown) => {
      const created = createEgressPolicy(egress);
      shutdown.onClose(() => created.close());
      return created;
    },
  };
  return [policy, DiscoveryLeaseService, UpstreamsService];
}

function syncs(config: CatalogSyncConfig) {
  const settings: StateSettings = { ...config.health, ...config.backOff };
  const checks = {
    provide: ChecksService,
    inject: [Sql, StatesRepository, CatalogNewsService],
    useFactory: (...parts: [Sql, StatesRepository, CatalogNewsService]) =>
      new ChecksService(...parts, settings),
  };
  return [checks, ...syncServices(config.sync, settings), syncProcessor(config.sync)];
}

function syncServices(settings: SyncSettings, states: StateSettings) {
  type Results = [
    Sql,
    IntegrationsRepository,
    StatesRepository,
    ToolsRepository,
    ApprovalsRepository,
    FeaturesRepository,
    CatalogNewsService,
  ];
  type Syncs = [IntegrationsRepository, ClaimsRepository, UpstreamsService, SyncResultsService, Log];
  return [
    {
      provide: SyncResultsService,
      inject: [
        Sql,
        IntegrationsRepository,
        StatesRepository,
        ToolsRepository,
        ApprovalsRepository,
        FeaturesRepository,
        CatalogNewsService,
      ],
      useFactory: (...[sql, integrations, rows, tools, approvals, features, news]: Results) =>
        new SyncResultsService({
          sql,
          integrations,
          states: rows,
          tools,
          approvals,
          features,
          news,
          settings: states,
        }),
    },
    {
      provide: SyncsService,
      inject: [IntegrationsRepository, ClaimsRepository, UpstreamsService, SyncResultsService, Log],
      useFactory: (...[integrations, claims, opener, results, log]: Syncs) =>
        new SyncsService({ integrations, claims, upstreams: opener, results, log, settings }),
    },
  ];
}

function syncProcessor({ concurrency }: SyncSettings) {
  return {
    provide: SyncProcessor,
    inject: [QueueClient, SyncsService, Metrics, Shutdown],
    useFactory: (...[queue, service, metrics, shutdown]: [QueueClient, SyncsService, Metrics, Shutdown]) =>
      new SyncProcessor(queue, service, { metrics, shutdown }, concurrency),
  };
}
