import { Body, Controller, HttpCode, Post, Res, UseGuards } from '@nestjs/common';
import { toPlatformError } from '@switchyard/contracts';
import type { ApiUser } from '@switchyard/identity';
import type { FastifyReply } from 'fastify';
import { CallerGuard, User } from '../http/caller.guard.js';
import { approvalsPath } from './answer-unread-bodies.js';
import type { ChatAnswer } from './chat-answers.service.js';
import { ChatReplies } from './chat-replies.service.js';
import { ChatsService } from './chats.service.js';
import { readApprovals } from './requests/approvals-request.js';

/** The web handler of request shape 001, word by word: its clients read text where something is wrong. */
@Controller(approvalsPath)
@UseGuards(CallerGuard)
export class ChatApprovalsController {
  constructor(
    private readonly chats: ChatsService,
    private readonly replies: ChatReplies,
  ) {}

  @Post()
  @HttpCode(200)
  async post(@User() user: ApiUser, @Body() body: unknown, @Res() reply: FastifyReply): Promise<void> {
    const request = readApprovals(body);
    if (!request) return sendText(reply, 400, 'Invalid request');
    const { signal, close } = this.replies.admit(user.userId);
    reply.raw.once('close', close);
    try {
      const turn = await this.chats.take(user, request);
      const [refusal] = turn.refused;
      if (refusal) return sendText(reply, 500, refusal.message);
      if (request.turn.kind === 'approved_tools' && !request.turn.approved)
        return void reply.send({ type: 'cancellation', message: 'Tool execution cancelled by user.' });
      const terms = { userId: user.userId, holdsForApproval: false, gone: signal };
      sendResult(reply, await this.replies.json(turn, terms));
    } catch (thrown) {
      const { code, message } = toPlatformError(thrown);
      if (code === 'not_found') return sendText(reply, 404, 'Session not found');
      if (code === 'conflict') return sendText(reply, 409, message);
      throw thrown;
    }
  }
}

function sendResult(reply: FastifyReply, answer: ChatAnswer): void {
  const { status, error, output, extra_fields } = answer;
  if (status === 'failed' || status === 'cancelled')
    return sendText(reply, 500, error?.message ?? 'The run was cancelled.');
  const results = output?.kind === 'tool_results' ? JSON.stringify(output.results) : '';
  const message = output?.kind === 'text' ? output.text : results;
  void reply.send({ type: 'execution_result', message, status, extra_fields });
}

function sendText(reply: FastifyReply, status: number, text: string): void {
  void reply.code(status).type('text/plain; charset=utf-8').send(text);
}
