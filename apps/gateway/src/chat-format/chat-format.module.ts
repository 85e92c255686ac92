import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { ToolCallsModule } from '../tool-calls/tool-calls.module.js';
import { SearchModule } from '../search/search.module.js';
import { ChatCalls } from './chat-calls.service.js';
import { ChatFormatController } from './chat-format.controller.js';

@Module({
  imports: [AuthModule, ToolCallsModule, SearchModule],
  controllers: [ChatFormatController],
  providers: [ChatCalls],
})
export class ChatFormatModule {}
