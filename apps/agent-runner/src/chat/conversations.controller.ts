import { Controller, Delete, Get, HttpCode, Param, Query, Res, UseGuards } from '@nestjs/common';
import type { ApiUser } from '@switchyard/identity';
import { type Page, PageQuery, parseQuery } from '@switchyard/service-kit';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { HistoryRequests } from '../history/history-requests.service.js';
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
  constructor(
    private readonly conversations: ConversationsService,
    private readonly requests: HistoryRequests,
  ) {}

  @Get()
  list(
    @User() user: ApiUser,
    @Query() query: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Page<ConversationSummary>> {
    return this.requests.serve(user, reply.raw, async () =>
      this.conversations.list(user, parseQuery(ListQuery, query)),
    );
  }

  @Get(':id')
  get(
    @User() user: ApiUser,
    @Param() params: unknown,
    @Query() query: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ConversationAnswer> {
    const { id } = parseQuery(ConversationId, params);
    const page = parseQuery(MessagesQuery, query);
    return this.requests.serve(user, reply.raw, () => this.conversations.get(user, id, page));
  }

  @Delete(':id')
  @HttpCode(204)
  async remove(@User() user: ApiUser, @Param() params: unknown): Promise<void> {
    await this.conversations.remove(user, parseQuery(ConversationId, params).id);
  }
}
