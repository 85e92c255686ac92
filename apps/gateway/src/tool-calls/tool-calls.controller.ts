import {
  Body,
  Controller,
  Get,
  HttpCode,
  Inject,
  Param,
  Post,
  Query,
  Req,
  Res,
  UseGuards,
} from '@nestjs/common';
import { FilterQuery, requestFilterOf } from '@switchyard/access';
import { PlatformError, queues } from '@switchyard/contracts';
import type { LedgerCall } from '@switchyard/database';
import { QueueClient } from '@switchyard/queue';
import { decodeCursor, idempotencyKeyOf, parseBody, parseQuery, toPage } from '@switchyard/service-kit';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { type AuthenticatedRequest, CallerGuard } from '../auth/caller.guard.js';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config.js';
import { approvalUrls } from './approval-required.js';
import { callRecord, wholeCallRecord } from './call-record.js';
import { traceparentOf } from './caller-meta.js';
import { LedgerRepository } from './ledger.repository.js';
import { CallId, CreateToolCall, ListToolCalls } from './tool-call-requests.js';
import { ToolCallsService } from './tool-calls.service.js';

const cancelTimeoutMs = 5_000;

/** The async API: a call is accepted now and fetched later. Callers see their own calls, of whatever face. */
@Controller('api/tool-calls')
@UseGuards(CallerGuard('async_api'))
export class ToolCallsController {
  constructor(
    private readonly toolCalls: ToolCallsService,
    private readonly ledger: LedgerRepository,
    private readonly queue: QueueClient,
    @Inject(GATEWAY_CONFIG) private readonly config: Pick<GatewayConfig, 'oauth'>,
  ) {}

  @Post()
  @HttpCode(202)
  async create(
    @Req() request: AuthenticatedRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Query() query: unknown,
    @Body() body: unknown,
  ) {
    parseQuery(FilterQuery, query);
    const wanted = parseBody(CreateToolCall, body);
    const answer = await this.toolCalls.accept(
      {
        caller: request.principal.caller,
        userToken: request.principal.userToken,
        tool: wanted.tool,
        arguments: wanted.arguments,
        filter: requestFilterOf({ headers: request.headers, query, body: wanted }),
        deadlineMs: wanted.deadline_ms,
        idempotencyKey: idempotencyKeyOf(request.headers['idempotency-key'], wanted.idempotency_key),
        requestId: request.id,
      },
      traceparentOf(undefined, request.headers['traceparent']),
    );
    if (answer.kind === 'refused') throw PlatformError.fromInfo(answer.error);
    reply.header('location', `/api/tool-calls/${answer.callId}`);
    const { callId, status, waitsUntil } = answer;
    if (!waitsUntil) return { call_id: callId, status };
    return {
      ...{ call_id: callId, status, approval_id: callId },
      ...approvalUrls(this.config.oauth.issuer, callId),
      expires_at: waitsUntil.toISOString(),
      next: `Once an approver has decided, the call goes on by itself: GET /api/tool-calls/${callId} tells.`,
    };
  }

  @Get()
  async list(@Req() { principal }: AuthenticatedRequest, @Query() query: unknown) {
    const { limit, cursor, status, tool } = parseQuery(ListToolCalls, query);
    const before = cursor === undefined ? undefined : decodeCursor(z.uuid(), cursor);
    const rows = await this.ledger.listOwn(principal.caller, { limit, before, status, tool });
    return toPage(rows, limit, { item: callRecord, position: (row: LedgerCall) => row.call_id });
  }

  @Get(':id')
  async read(@Req() request: AuthenticatedRequest, @Param() params: unknown) {
    return wholeCallRecord(await this.#own(request, params));
  }

  @Post(':id/cancel')
  @HttpCode(200)
  async cancel(@Req() request: AuthenticatedRequest, @Param() params: unknown) {
    const { call_id: callId, status } = await this.#own(request, params);
    if (status === 'cancelled') return { call_id: callId, status };
    const { orgId } = request.principal.caller;
    const wish = { v: 1, callId, orgId } as const;
    const answer = await this.queue.request(queues.toolCallCancellations, wish, {
      timeoutMs: cancelTimeoutMs,
    });
    if (answer.status === 'refused') throw PlatformError.fromInfo(answer.error);
    if (answer.state === 'cancelled') return { call_id: callId, status: answer.state };
    throw new PlatformError('conflict', {
      message: `The call is ${answer.state} and can no longer be cancelled.`,
      details: { callId, status: answer.state },
    });
  }

  async #own({ principal }: AuthenticatedRequest, params: unknown): Promise<LedgerCall> {
    const id = CallId.safeParse(params).data?.id;
    const row = id === undefined ? undefined : await this.ledger.findOwn(principal.caller, id);
    if (!row) throw new PlatformError('not_found');
    return row;
  }
}
