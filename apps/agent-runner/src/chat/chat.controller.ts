import { Readable } from 'node:stream';
import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res, UseGuards } from '@nestjs/common';
import { requestFilterOf } from '@switchyard/access';
import type { ApiUser } from '@switchyard/identity';
import { idempotencyKeyOf, parseQuery } from '@switchyard/service-kit';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CallerGuard, User } from '../http/caller.guard.js';
import { ChatReplies, type ReplyTerms } from './chat-replies.service.js';
import { ChatsService, type ChatTurnTaken } from './chats.service.js';
import { type ChatRequest, readChatRequest } from './requests/chat-request.js';

const ChatId = z.object({ id: z.string().min(1).max(256) });
const StreamQuery = z.object({ await_approval: z.stringbool().default(false) });

@Controller('api/chat')
@UseGuards(CallerGuard)
export class ChatController {
  constructor(
    private readonly chats: ChatsService,
    private readonly replies: ChatReplies,
  ) {}

  @Post()
  async post(
    @User() user: ApiUser,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const filter = requestFilterOf({ headers: request.headers, query: request.query, body });
    const idempotencyKey = idempotencyKeyOf(request.headers['idempotency-key']);
    const chat = { ...readChatRequest(body), filter, idempotencyKey };
    const { holdsForApproval } = chat;
    await this.#reply(reply, { user, holdsForApproval, streams: wantsStream(chat, request) }, () =>
      this.chats.take(user, chat),
    );
  }

  @Get(':id/stream')
  async attach(
    @User() user: ApiUser,
    @Param() params: unknown,
    @Query() query: unknown,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { id } = parseQuery(ChatId, params);
    const { await_approval: holdsForApproval } = parseQuery(StreamQuery, query);
    await this.#reply(reply, { user, holdsForApproval, streams: true }, async () => {
      const run = await this.chats.openRun(user, id);
      return run && { ...run, runId: run.id, orgId: user.orgId, conversationId: id, refused: [] };
    });
  }

  @Post(':id/cancel')
  @HttpCode(202)
  async cancel(@User() user: ApiUser, @Param() params: unknown): Promise<{ run_id: string }> {
    return { run_id: await this.chats.cancel(user, parseQuery(ChatId, params).id) };
  }

  async #reply(
    reply: FastifyReply,
    { user, holdsForApproval, streams }: { user: ApiUser; holdsForApproval: boolean; streams: boolean },
    take: () => Promise<ChatTurnTaken | undefined>,
  ): Promise<void> {
    const { signal, close } = this.replies.admit(user.userId);
    onceGone(reply, close);
    const gone = AbortSignal.any([signal, goneOf(reply)]);
    const turn = await take();
    if (!turn) return void reply.code(204).send();
    const terms: ReplyTerms = { userId: user.userId, holdsForApproval, gone };
    if (!streams) return void reply.code(200).send(await this.replies.json(turn, terms));
    const { headers, body } = this.replies.stream(turn, terms);
    void reply
      .code(200)
      .headers(headers)
      .send(Readable.fromWeb(body as never));
  }
}

function goneOf(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  onceGone(reply, () => gone.abort(new DOMException('the client has gone', 'AbortError')));
  return gone.signal;
}

/** A client may have gone while its token was looked at: then no event tells of it any more. */
function onceGone({ raw }: FastifyReply, act: () => void): void {
  if (raw.closed) act();
  else raw.once('close', act);
}

/** Clients of `ai` say nothing of it, and programs that ask for JSON want one answer. Shape 001 knows no streams. */
function wantsStream({ streams, turn }: ChatRequest, { headers }: FastifyRequest): boolean {
  if (streams !== undefined) return streams;
  if (turn.kind === 'approved_tools') return false;
  const accept = headers.accept ?? '*/*';
  return !accept.includes('application/json') || accept.includes('text/event-stream');
}
