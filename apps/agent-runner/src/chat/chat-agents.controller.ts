import { Controller, Get, Query, UseGuards } from '@nestjs/common';
import type { ApiUser } from '@switchyard/identity';
import { decodeCursor, type Page, PageQuery, parseQuery, toPage } from '@switchyard/service-kit';
import { z } from 'zod';
import { CallerGuard, User } from '../http/caller.guard.js';
import { type ChatAgent, ChatAgents } from './chat-agents.service.js';

const Slug = z.string().max(128);

@Controller('api/chat/agents')
@UseGuards(CallerGuard)
export class ChatAgentsController {
  constructor(private readonly agents: ChatAgents) {}

  /** Those with which the user may chat, by slug. */
  @Get()
  list(@User() user: ApiUser, @Query() query: unknown): Page<ChatAgent> {
    const { limit, cursor } = parseQuery(PageQuery, query);
    const after = cursor === undefined ? '' : decodeCursor(Slug, cursor);
    const agents = this.agents.list(user).filter(({ slug }) => slug > after);
    return toPage(agents.slice(0, limit + 1), limit, {
      item: (agent) => agent,
      position: ({ slug }) => slug,
    });
  }
}
