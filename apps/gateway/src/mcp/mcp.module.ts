import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config.js';
import { StreamsModule } from '../streams/streams.module.js';
import { ToolCallsModule } from '../tool-calls/tool-calls.module.js';
import { Connections } from './connections.service.js';
import { LegacyFront } from './legacy-front.service.js';
import { LegacyStreams } from './legacy-streams.service.js';
import { McpController } from './mcp.controller.js';
import { McpServers } from './mcp-servers.service.js';
import { ModernFront } from './modern-front.service.js';
import { RunningRequests } from './running-requests.service.js';
import { SessionTokens } from './session-token.js';

@Module({
  imports: [AuthModule, StreamsModule, ToolCallsModule],
  controllers: [McpController],
  providers: [
    Connections,
    LegacyFront,
    LegacyStreams,
    McpServers,
    ModernFront,
    RunningRequests,
    {
      provide: SessionTokens,
      inject: [GATEWAY_CONFIG],
      useFactory: ({ sealKey }: GatewayConfig) => new SessionTokens(sealKey.reveal()),
    },
  ],
})
export class McpModule {}
