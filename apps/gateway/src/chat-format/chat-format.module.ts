import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { ToolCallsModule } from '../tool-calls/tool-calls.module.js';
import { ChatFormatController } from './chat-format.controller.js';

@Module({ imports: [AuthModule, ToolCallsModule], controllers: [ChatFormatController] })
export class ChatFormatModule {}
