import { Body, Controller, Get, Header, HttpCode, Post, Query, Req, Res, UseGuards } from '@nestjs/common';
import { requestFilterOf } from '@switchyard/access';
import { idempotencyKeyOf, parseBody, parseQuery } from '@switchyard/service-kit';
import type { FastifyReply } from 'fastify';
import { type AuthenticatedRequest, CallerGuard } from '../auth/caller.guard.js';
import { traceparentOf } from '../tool-calls/caller-meta.js';
import { leavingOf } from '../tool-calls/leaving-of.js';
import { ChatFormatQuery, modelCallSchema } from './chat-call.js';
import { ChatCalls } from './chat-calls.service.js';
import { openAiTool } from './openai-tool.js';
import { toolMessage } from './tool-message.js';

/** For backends that speak a model provider's format: their tools, and calls as the model writes them (E39). Stateless. */
@Controller('v1/mcp')
@UseGuards(CallerGuard('bff'))
export class ChatFormatController {
  constructor(private readonly calls: ChatCalls) {}

  @Get('tools')
  @Header('cache-control', 'no-store')
  tools(@Req() { principal, headers }: AuthenticatedRequest, @Query() query: unknown) {
    const { format } = parseQuery(ChatFormatQuery, query);
    const tools = this.calls.tools(principal, requestFilterOf({ headers, query }));
    return { tools: tools.map((wire) => openAiTool(wire, format)) };
  }

  /** What goes wrong with the tool is content, which the model reads; what is wrong with the request is a problem. */
  @Post('tool/execute')
  @HttpCode(200)
  async execute(
    @Req() request: AuthenticatedRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Query() query: unknown,
    @Body() body: unknown,
  ) {
    const { format } = parseQuery(ChatFormatQuery, query);
    const wanted = parseBody(modelCallSchema(format), body);
    const { headers, principal } = request;
    const result = await this.calls.call(principal, {
      name: wanted.name,
      arguments: wanted.arguments,
      filter: requestFilterOf({ headers, query, body }),
      requestId: request.id,
      idempotencyKey: idempotencyKeyOf(headers['idempotency-key']),
      signal: leavingOf(reply.raw),
      traceparent: traceparentOf(undefined, headers['traceparent']),
    });
    return toolMessage(result, wanted.id, format);
  }
}
