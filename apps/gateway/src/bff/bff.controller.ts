import {
  Body,
  Controller,
  Get,
  Header,
  Inject,
  Param,
  Post,
  Query,
  Req,
  Res,
  UseGuards,
} from '@nestjs/common';
import { FilterQuery, requestFilterOf } from '@switchyard/access';
import { PlatformError } from '@switchyard/contracts';
import { idempotencyKeyOf, parseBody, parseQuery } from '@switchyard/service-kit';
import type { FastifyReply } from 'fastify';
import { type AuthenticatedRequest, CallerGuard } from '../auth/caller.guard.js';
import { EndUserGuard } from '../auth/end-user.guard.js';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config.js';
import { traceparentOf } from '../tool-calls/caller-meta.js';
import { leavingOf } from '../tool-calls/leaving-of.js';
import { LedgerRepository } from '../tool-calls/ledger.repository.js';
import { CallId } from '../tool-calls/tool-call-requests.js';
import { BffCalls } from './bff-calls.service.js';
import { CallBody, patienceOf, ToolListQuery } from './bff-requests.js';
import { BffStreams } from './bff-streams.service.js';
import { type CallAnswerBody, ledgerAnswer, statusOf } from './call-answer.js';
import { shownTools } from './shown-tools.js';

const retryAfterSeconds = 1;

/** The REST API of chat backends (003): what the user whose token comes with the request may use, and calls on their behalf. */
@Controller('api/bff')
@UseGuards(CallerGuard('bff', 'user_token'), EndUserGuard)
export class BffController {
  constructor(
    private readonly calls: BffCalls,
    private readonly streams: BffStreams,
    private readonly ledger: LedgerRepository,
    @Inject(GATEWAY_CONFIG) private readonly config: Pick<GatewayConfig, 'bff'>,
  ) {}

  @Get('tools')
  @Header('cache-control', 'no-store')
  tools(@Req() { principal, headers }: AuthenticatedRequest, @Query() query: unknown) {
    const { format } = parseQuery(ToolListQuery, query);
    return shownTools(this.calls.tools(principal, requestFilterOf({ headers, query })), format);
  }

  @Post('tools/call')
  async call(
    @Req() request: AuthenticatedRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Query() query: unknown,
    @Body() body: unknown,
  ): Promise<CallAnswerBody> {
    parseQuery(FilterQuery, query);
    const wanted = parseBody(CallBody, body);
    const { headers } = request;
    const patience = patienceOf(headers['prefer'], this.config.bff.waitMs);
    if (patience.applied !== undefined) reply.header('preference-applied', patience.applied);
    const answer = await this.calls.call(request.principal, wanted, {
      filter: requestFilterOf({ headers, query, body: wanted }),
      waitMs: patience.waitMs,
      idempotencyKey: idempotencyKeyOf(headers['idempotency-key'], wanted.idempotency_key),
      requestId: request.id,
      traceparent: traceparentOf(undefined, headers['traceparent']),
      signal: leavingOf(reply.raw),
    });
    if (answer.status === 'pending')
      reply.header('location', `/api/bff/calls/${answer.call_id}`).header('retry-after', retryAfterSeconds);
    else if (answer.error?.retry_after_ms !== undefined)
      reply.header('retry-after', Math.max(1, Math.ceil(answer.error.retry_after_ms / 1_000)));
    reply.status(statusOf(answer));
    return answer;
  }

  @Get('calls/:id')
  @Header('cache-control', 'no-store')
  async read(@Req() { principal }: AuthenticatedRequest, @Param() params: unknown): Promise<CallAnswerBody> {
    const id = CallId.safeParse(params).data?.id;
    const row = id === undefined ? undefined : await this.ledger.findOwn(principal.caller, id);
    if (!row) throw new PlatformError('not_found');
    return ledgerAnswer(row);
  }

  /** Opens the stream of tool updates. From here on the answer is the stream's to write. */
  @Get('sse')
  stream(
    @Req() { principal, headers }: AuthenticatedRequest,
    @Res() reply: FastifyReply,
    @Query() query: unknown,
  ): void {
    const { format } = parseQuery(ToolListQuery, query);
    const filter = requestFilterOf({ headers, query });
    this.streams.open(principal, { filter, format, takeResponse: () => reply.hijack().raw });
  }
}
