import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { StreamsModule } from '../streams/streams.module.js';
import { ToolCallsModule } from '../tool-calls/tool-calls.module.js';
import { BffCalls } from './bff-calls.service.js';
import { BffController } from './bff.controller.js';
import { BffStreams } from './bff-streams.service.js';

@Module({
  imports: [AuthModule, StreamsModule, ToolCallsModule],
  controllers: [BffController],
  providers: [BffCalls, BffStreams],
})
export class BffModule {}
