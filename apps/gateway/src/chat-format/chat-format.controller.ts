import {
  Body,
  Controller,
  Get,
  Header,
  HttpCode,
  Inject,
  Post,
  Query,
  Req,
  Res,
  UseGuards,
} from '@nestjs/common';
import { resolveTools, SnapshotStore } from '@switchyard/access';
import {
  type ErrorCode,
  errorCatalog,
  type ErrorInfo,
  PlatformError,
  type ToolResult,
} from '@switchyard/contracts';
import { parseBody, parseQuery } from '@switchyard/service-kit';
import type { FastifyReply } from 'fastify';
import { type AuthenticatedRequest, CallerGuard } from '../auth/caller.guard.js';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config.js';
import { requestFilterOf } from '../filters/request-filter-of.js';
import { traceparentOf } from '../tool-calls/caller-meta.js';
import { leavingOf } from '../tool-calls/leaving-of.js';
import { errorToMcp, outcomeToMcp } from '../tool-calls/outcome-to-mcp.js';
import { idempotencyKeyOf } from '../tool-calls/tool-call-requests.js';
import { type CallAnswer, ToolCallsService } from '../tool-calls/tool-calls.service.js';
import { ChatFormatQuery, modelCallSchema, readArguments } from './chat-call.js';
import { openAiTool } from './openai-tool.js';
import { toolMessage } from './tool-message.js';

/** For backends that speak a model provider's format: their tools, and calls as the model writes them (E39). Stateless. */
@Controller('v1/mcp')
@UseGuards(CallerGuard('bff'))
export class ChatFormatController {
  constructor(
    private readonly snapshots: SnapshotStore,
    private readonly toolCalls: ToolCallsService,
    @Inject(GATEWAY_CONFIG) private readonly config: Pick<GatewayConfig, 'edge'>,
  ) {}

  @Get('tools')
  @Header('cache-control', 'no-store')
  tools(@Req() { principal, headers }: AuthenticatedRequest, @Query() query: unknown) {
    const { format } = parseQuery(ChatFormatQuery, query);
    const filter = requestFilterOf({ headers, query });
    const tools = resolveTools(this.snapshots.current(), principal.caller, filter);
    return { tools: tools.map((tool) => openAiTool(tool, format)) };
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
    const filter = requestFilterOf({ headers: request.headers, query, body });
    const args = readArguments(wanted.arguments, this.config.edge.json);
    if (!args.ok) return toolMessage(errorToMcp(args.error, {}), wanted.id, format);
    const answer = await this.toolCalls.call(
      {
        ...{ caller: request.principal.caller, userToken: request.principal.userToken, filter },
        ...{ tool: wanted.name, arguments: args.value, requestId: request.id },
        idempotencyKey: idempotencyKeyOf(request.headers['idempotency-key']),
        signal: leavingOf(reply.raw),
      },
      traceparentOf(undefined, request.headers['traceparent']),
    );
    return toolMessage(resultOf(answer), wanted.id, format);
  }
}

/** Neither the model nor its user can do anything about these; the backend can. */
const forTheBackend = new Set<ErrorCode>(['rate_limited', 'idempotency_conflict']);

function resultOf(answer: CallAnswer): ToolResult {
  const error = errorOf(answer);
  if (error && (forTheBackend.has(error.code) || errorCatalog[error.code].family === 'platform'))
    throw PlatformError.fromInfo(error);
  if (answer.kind === 'refused') return errorToMcp(answer.error, {});
  return outcomeToMcp(answer.outcome, {});
}

function errorOf(answer: CallAnswer): ErrorInfo | undefined {
  if (answer.kind === 'refused') return answer.error;
  return answer.outcome.status === 'completed' ? undefined : answer.outcome.error;
}
