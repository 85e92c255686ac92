import { type DynamicModule, type OnApplicationBootstrap, Module } from '@nestjs/common';
import { DatabaseModule } from '@switchyard/database';
import { assertConsumers, QueueClient, QueueModule } from '@switchyard/queue';
import { Log, Metrics } from '@switchyard/service-kit';
import { AuditRecordProcessor } from './audit/audit-record.processor.js';
import { BrokerKeysRepository } from './broker-keys/broker-keys.repository.js';
import { BrokerKeysService } from './broker-keys/broker-keys.service.js';
import type { TokenBrokerConfig } from './config.js';
import { IntegrationsRepository } from './integrations/integrations.repository.js';
import { GrantNone } from './leases/grant-none.js';
import { GrantStatic } from './leases/grant-static.js';
import { LeaseProcessor } from './leases/lease.processor.js';
import { LeaseTtl } from './leases/lease-ttl.js';
import { leaseGranters, LeasesService } from './leases/leases.service.js';
import { OAuthDiscoveryProcessor } from './oauth-discoveries/oauth-discovery.processor.js';
import { VaultWriteProcessor } from './vault-writes/vault-write.processor.js';
import { VaultWritesService } from './vault-writes/vault-writes.service.js';
import { DataKeysRepository } from './vault/data-keys.repository.js';
import { DataKeysService } from './vault/data-keys.service.js';
import { MasterKey } from './vault/master-key.js';
import { SecretsRepository } from './vault/secrets.repository.js';
import { SecretsService } from './vault/secrets.service.js';

@Module({})
export class TokenBrokerModule implements OnApplicationBootstrap {
  constructor(private readonly queue: QueueClient) {}

  static forRoot(config: TokenBrokerConfig): DynamicModule {
    return {
      module: TokenBrokerModule,
      imports: [
        DatabaseModule.forRoot({ url: config.databaseUrl, schema: 'vault', applicationName: 'token-broker' }),
        QueueModule.forRoot({
          url: config.queueUrl,
          sealKey: config.sealKey,
          service: 'token-broker',
          prefix: config.queuePrefix,
        }),
      ],
      providers: [
        ...vault(config),
        ...leases(config),
        VaultWritesService,
        ...processors(config),
        IntegrationsRepository,
      ],
    };
  }

  onApplicationBootstrap(): void {
    assertConsumers('token-broker', this.queue.consumed);
  }
}

/** Nothing is injected before the keys are open: a broker with a wrong master key never starts. */
function vault(config: TokenBrokerConfig) {
  return [
    { provide: MasterKey, useFactory: () => MasterKey.parse(config.masterKey.reveal()) },
    DataKeysRepository,
    {
      provide: DataKeysService,
      inject: [DataKeysRepository, MasterKey],
      useFactory: (rows: DataKeysRepository, key: MasterKey) => opened(new DataKeysService(rows, key)),
    },
    SecretsRepository,
    SecretsService,
    BrokerKeysRepository,
    {
      provide: BrokerKeysService,
      inject: [BrokerKeysRepository, DataKeysService],
      useFactory: (rows: BrokerKeysRepository, keys: DataKeysService) =>
        opened(new BrokerKeysService(rows, keys)),
    },
  ];
}

/** A further auth mode is one more granter. */
function leases(config: TokenBrokerConfig) {
  return [
    { provide: LeaseTtl, useValue: new LeaseTtl(config.leaseTtlMs) },
    GrantNone,
    GrantStatic,
    {
      provide: leaseGranters,
      inject: [GrantNone, GrantStatic],
      useFactory: (...granters: object[]) => granters,
    },
    LeasesService,
  ];
}

function processors(config: TokenBrokerConfig) {
  return [
    {
      provide: LeaseProcessor,
      inject: [QueueClient, LeasesService, Metrics],
      useFactory: (queue: QueueClient, service: LeasesService, metrics: Metrics) =>
        new LeaseProcessor(queue, service, metrics, config.concurrency),
    },
    {
      provide: VaultWriteProcessor,
      inject: [QueueClient, VaultWritesService],
      useFactory: (queue: QueueClient, service: VaultWritesService) =>
        new VaultWriteProcessor(queue, service),
    },
    {
      provide: OAuthDiscoveryProcessor,
      inject: [QueueClient],
      useFactory: (queue: QueueClient) => new OAuthDiscoveryProcessor(queue),
    },
    {
      provide: AuditRecordProcessor,
      inject: [QueueClient, Log],
      useFactory: (queue: QueueClient, log: Log) => new AuditRecordProcessor(queue, log),
    },
  ];
}

async function opened<T extends { open(): Promise<void> }>(service: T): Promise<T> {
  await service.open();
  return service;
}
