import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config.js';
import { SearchModule } from '../search/search.module.js';
import { StreamsModule } from '../streams/streams.module.js';
import { ToolCallsModule } from '../tool-calls/tool-calls.module.js';
import { ClientAnswers } from './client-answers.service.js';
import { Connections } from './connections.service.js';
import { LegacyFront } from './legacy-front.service.js';
import { LegacyStreams } from './legacy-streams.service.js';
import { Lists } from './lists.service.js';
import { McpController } from './mcp.controller.js';
import { McpServers } from './mcp-servers.service.js';
import { McpSessions } from './mcp-sessions.service.js';
import { ModernFront } from './modern-front.service.js';
import { ParkedCalls } from './parked-calls.service.js';
import { RefusedStates } from './refused-states.service.js';
import { RequestStates } from './request-states.js';
import { ResourceWatch } from './resource-watch.service.js';
import { RunningRequests } from './running-requests.service.js';
import { SessionChoices } from './session-choices.service.js';
import { SessionTokens } from './session-token.js';

@Module({
  imports: [AuthModule, SearchModule, StreamsModule, ToolCallsModule],
  controllers: [McpController],
  providers: [
    ClientAnswers,
    Connections,
    LegacyFront,
    LegacyStreams,
    Lists,
    McpServers,
    McpSessions,
    ModernFront,
    ParkedCalls,
    RefusedStates,
    ResourceWatch,
    RunningRequests,
    SessionChoices,
    {
      provide: SessionTokens,
      inject: [GATEWAY_CONFIG],
      useFactory: ({ sealKey }: GatewayConfig) => new SessionTokens(sealKey.reveal()),
    },
    {
      provide: RequestStates,
      inject: [GATEWAY_CONFIG],
      useFactory: ({ sealKey }: GatewayConfig) => new RequestStates(sealKey.reveal()),
    },
  ],
})
export class McpModule {}
