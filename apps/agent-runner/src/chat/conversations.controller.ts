import { Controller, Delete, Get, HttpCode, Param, Query, UseGuards } from '@nestjs/common';
import type { ApiUser } from '@switchyard/identity';
import { type Page, PageQuery, parseQuery } from '@switchyard/service-kit';
import { z } from 'zod';
import { CallerGuard, User } from '../http/caller.guard.js';
import {
  type ConversationAnswer,
  ConversationsService,
  type ConversationSummary,
} from './conversations.service.js';

const ListQuery = PageQuery.extend({ agent: z.string().min(1).max(128).optional() });
const MessagesQuery = PageQuery.extend({ limit: z.coerce.number().int().min(1).max(50).default(20) });
const ConversationId = z.object({ id: z.string().min(1).max(256) });

@Controller('api/conversations')
@UseGuards(CallerGuard)
export class ConversationsController {
  constructor(private readonly conversations: ConversationsService) {}

  @Get()
  list(@User() user: ApiUser, @Query() query: unknown): Promise<Page<ConversationSummary>> {
    return this.conversations.list(user, parseQuery(ListQuery, query));
  }

  @Get(':id')
  get(@User() user: ApiUser, @Param() params: unknown, @Query() query: unknown): Promise<ConversationAnswer> {
    return this.conversations.get(
      user,
      parseQuery(ConversationId, params).id,
      parseQuery(MessagesQuery, query),
    );
  }

  @Delete(':id')
  @HttpCode(204)
  async remove(@User() user: ApiUser, @Param() params: unknown): Promise<void> {
    await this.conversations.remove(user, parseQuery(ConversationId, params).id);
  }
}
