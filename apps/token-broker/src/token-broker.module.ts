import { type DynamicModule, type OnApplicationBootstrap, Module } from '@nestjs/common';
import { DatabaseModule } from '@switchyard/database';
import { assertConsumers, QueueClient, QueueModule } from '@switchyard/queue';
import { AuditController } from './audit/audit.controller.js';
import { TOKEN_BROKER_CONFIG, type TokenBrokerConfig } from './config.js';
import { ConnectController } from './consents/connect.controller.js';
import { CredentialsController } from './credentials/credentials.controller.js';
import { SignInController } from './sign-in/sign-in.controller.js';
import { credentials, leases, people, processors, vault } from './token-broker.providers.js';

@Module({ controllers: [SignInController, ConnectController, CredentialsController, AuditController] })
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
        { provide: TOKEN_BROKER_CONFIG, useValue: config },
        ...vault(config),
        ...credentials(config),
        ...leases(),
        ...people(),
        ...processors(config),
      ],
    };
  }

  onApplicationBootstrap(): void {
    assertConsumers('token-broker', this.queue.consumed);
  }
}
