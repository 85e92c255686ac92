import { Body, Controller, Delete, Get, Inject, Param, Post, Req, Res, UseGuards } from '@nestjs/common';
import { classifyInboundRequest, isJsonContentType, type JSONRPCMessage } from '@modelcontextprotocol/server';
import { RouteConfig } from '@nestjs/platform-fastify';
import { FilterQuery, requestFilterOf } from '@switchyard/access';
import { errorCatalog } from '@switchyard/contracts';
import { idempotencyKeyOf, Log, parseQuery, toPublicError } from '@switchyard/service-kit';
import type { FastifyReply } from 'fastify';
import { type AuthenticatedRequest, CallerGuard } from '../auth/caller.guard.js';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config.js';
import { rawJsonBody } from '../edge/configure-edge.js';
import { readRpcBody, rpcCodes, rpcErrorText } from './json-rpc.js';
import { LegacyFront } from './legacy-front.service.js';
import { headerOf, type McpRequest, sendJson, sendRawProblem } from './mcp-request.js';
import { ModernFront } from './modern-front.service.js';
import { ToolsetDoors } from './toolset-doors.service.js';

/** The plain address, and that of a toolset. */
const addresses = ['', ':toolset'];

type Arrival = {
  readonly request: AuthenticatedRequest;
  readonly reply: FastifyReply;
  readonly toolset: string | undefined;
};

/** The MCP server face: one URL for both eras, and one for each toolset. What is neither goes to the modern side, whose errors name the rules. */
@Controller('mcp')
@UseGuards(CallerGuard('mcp'))
export class McpController {
  constructor(
    private readonly legacy: LegacyFront,
    private readonly modern: ModernFront,
    private readonly doors: ToolsetDoors,
    private readonly log: Log,
    @Inject(GATEWAY_CONFIG) private readonly config: Pick<GatewayConfig, 'edge'>,
  ) {}

  @Post(addresses)
  @RouteConfig(rawJsonBody)
  async post(
    @Req() request: AuthenticatedRequest,
    @Res() reply: FastifyReply,
    @Body() text: unknown,
    @Param('toolset') toolset?: string,
  ): Promise<void> {
    await this.#answer({ request, reply, toolset }, (mcp) => this.#post(mcp, text));
  }

  @Get(addresses)
  async get(
    @Req() request: AuthenticatedRequest,
    @Res() reply: FastifyReply,
    @Param('toolset') toolset?: string,
  ): Promise<void> {
    await this.#answer({ request, reply, toolset }, (mcp) =>
      isModern(mcp) ? notAllowed(mcp) : this.legacy.get(mcp),
    );
  }

  @Delete(addresses)
  async delete(
    @Req() request: AuthenticatedRequest,
    @Res() reply: FastifyReply,
    @Param('toolset') toolset?: string,
  ): Promise<void> {
    await this.#answer({ request, reply, toolset }, (mcp) =>
      isModern(mcp) ? notAllowed(mcp) : this.legacy.delete(mcp),
    );
  }

  async #post(request: McpRequest, text: unknown): Promise<void> {
    const { headers, response } = request;
    if (!isJsonContentType(headers['content-type'] ?? null)) {
      const message = 'Unsupported Media Type: Content-Type must be application/json';
      return sendJson(response, 415, rpcErrorText({ code: rpcCodes.transport, message, id: null }));
    }
    const body = readRpcBody(text, this.config.edge.json);
    if (!body.ok) return sendJson(response, body.refusal.httpStatus, rpcErrorText(body.refusal));
    const { kind } = classifyInboundRequest({
      httpMethod: 'POST',
      protocolVersionHeader: headerOf(headers, 'mcp-protocol-version'),
      mcpMethodHeader: headerOf(headers, 'mcp-method'),
      mcpNameHeader: headerOf(headers, 'mcp-name'),
      body: body.value,
    });
    // The SDK has just found it to be a message.
    if (kind === 'legacy') return this.legacy.post(request, body.value as JSONRPCMessage);
    return this.modern.post(request, body.value);
  }

  /** From here on the answer is ours to write, errors included. */
  async #answer(
    { request, reply, toolset }: Arrival,
    serve: (mcp: McpRequest) => Promise<void> | void,
  ): Promise<void> {
    reply.hijack();
    const { headers, query, raw } = request;
    const response = reply.raw;
    try {
      const idempotencyKey = idempotencyKeyOf(headers['idempotency-key']);
      const filter = requestFilterOf({ headers, query: parseQuery(FilterQuery, query) });
      const principal =
        toolset === undefined ? request.principal : await this.doors.enter(request.principal, toolset);
      await serve({ principal, filter, headers, raw, response, idempotencyKey });
    } catch (thrown) {
      const error = toPublicError(thrown);
      if (errorCatalog[error.code].httpStatus >= 500) this.log.error({ err: error }, 'an MCP request failed');
      sendRawProblem(response, error);
    }
  }
}

function isModern({ headers }: McpRequest): boolean {
  const version = headerOf(headers, 'mcp-protocol-version') ?? '';
  return /^\d{4}-\d{2}-\d{2}$/.test(version) && version >= '2026-07-28';
}

/** That revision has neither a GET stream nor sessions. */
function notAllowed({ response }: McpRequest): void {
  const text = rpcErrorText({ code: rpcCodes.transport, message: 'Method not allowed.', id: null });
  response.setHeader('allow', 'POST');
  sendJson(response, 405, text);
}
