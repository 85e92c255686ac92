import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { OpenStreams } from '../mcp/open-streams.service.js';
import { ToolListWatch } from '../mcp/tool-list-watch.service.js';
import { ToolsetDoors } from '../mcp/toolset-doors.service.js';
import { ToolCallsModule } from '../tool-calls/tool-calls.module.js';

/** What event streams of all faces share: one limit, and one watch over each caller's tools. */
@Module({
  imports: [AuthModule, ToolCallsModule],
  providers: [OpenStreams, ToolListWatch, ToolsetDoors],
  exports: [OpenStreams, ToolListWatch, ToolsetDoors],
})
export class StreamsModule {}
