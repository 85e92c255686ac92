import { type DynamicModule, Global, Module } from '@nestjs/common';
import { DatabaseModule } from '@switchyard/database';
import { QueueModule } from '@switchyard/queue';
import { ChatFormatModule } from './chat-format/chat-format.module.js';
import { GATEWAY_CONFIG, type GatewayConfig } from './config.js';
import { BffModule } from './bff/bff.module.js';
import { McpModule } from './mcp/mcp.module.js';
import { OAuthModule } from './oauth/oauth.module.js';
import { RateLimitsModule } from './rate-limits/rate-limits.module.js';
import { SnapshotModule } from './snapshot/snapshot.module.js';
import { ToolCallsModule } from './tool-calls/tool-calls.module.js';

/** The public edge. Further faces are further modules beside `McpModule`, over the same `ToolCallsModule`. */
@Module({})
export class GatewayModule {
  static forRoot(config: GatewayConfig, options: { queuePrefix?: string } = {}): DynamicModule {
    return {
      module: GatewayModule,
      imports: [
        ConfigModule.forRoot(config),
        DatabaseModule.forRoot({
          url: config.databaseUrl,
          schema: 'gateway',
          applicationName: 'switchyard-gateway',
        }),
        QueueModule.forRoot({
          url: config.queueUrl,
          sealKey: config.sealKey,
          service: 'gateway',
          prefix: options.queuePrefix,
        }),
        SnapshotModule,
        RateLimitsModule.forRoot({ queuePrefix: options.queuePrefix }),
        ToolCallsModule,
        OAuthModule,
        ...(config.isMcpEnabled ? [McpModule] : []),
        ...(config.bff.isEnabled ? [BffModule, ChatFormatModule] : []),
      ],
    };
  }
}

@Global()
@Module({})
class ConfigModule {
  static forRoot(config: GatewayConfig): DynamicModule {
    const provider = { provide: GATEWAY_CONFIG, useValue: config };
    return { module: ConfigModule, providers: [provider], exports: [provider] };
  }
}
