import { Inject, Injectable } from '@nestjs/common';
import { type RequestFilter, resolveTools, SnapshotStore } from '@switchyard/access';
import {
  type ErrorCode,
  errorCatalog,
  type ErrorInfo,
  PlatformError,
  type ToolResult,
  type WireTool,
} from '@switchyard/contracts';
import type { Principal } from '../auth/principal.js';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config.js';
import { SearchMode, type Translated } from '../search/search-mode.service.js';
import { errorToMcp, outcomeToMcp } from '../tool-calls/outcome-to-mcp.js';
import type { CallRequest } from '../tool-calls/prepared-call.js';
import { type CallAnswer, ToolCallsService } from '../tool-calls/tool-calls.service.js';
import { readArguments } from './chat-call.js';

/** A tool call as a model wrote it, and what came with the request that brings it. */
export type WrittenCall = Pick<CallRequest, 'filter' | 'requestId' | 'idempotencyKey' | 'signal'> & {
  readonly name: string;
  /** JSON, or what the model took for it. */
  readonly arguments: string;
  readonly traceparent: string | undefined;
};

/** Tools and calls for backends that speak a model provider's format, search mode included. */
@Injectable()
export class ChatCalls {
  constructor(
    private readonly snapshots: SnapshotStore,
    private readonly toolCalls: ToolCallsService,
    private readonly searchMode: SearchMode,
    @Inject(GATEWAY_CONFIG) private readonly config: Pick<GatewayConfig, 'edge'>,
  ) {}

  /** As callers name them. */
  tools({ caller }: Principal, filter: RequestFilter | undefined): readonly WireTool[] {
    if (this.searchMode.isOn(caller)) return this.searchMode.list();
    return resolveTools(this.snapshots.current(), caller, filter).map(({ wire }) => wire);
  }

  /** What goes wrong with the tool is a result, which the model reads; what is wrong with the request is thrown. */
  async call(principal: Principal, wanted: WrittenCall): Promise<ToolResult> {
    const args = readArguments(wanted.arguments, this.config.edge.json);
    if (!args.ok) return errorToMcp(args.error, {});
    const translated = await this.#translate(principal, wanted, args.value);
    if (translated.kind === 'result') return translated.result;
    if (translated.kind === 'refused') return resultOf(translated);
    const { traceparent, name: _, ...rest } = wanted;
    const { caller, userToken } = principal;
    const request = { ...rest, caller, userToken, tool: translated.name, arguments: translated.arguments };
    return resultOf(await this.toolCalls.call(request, traceparent));
  }

  async #translate(
    { caller }: Principal,
    { name, filter }: WrittenCall,
    args: Record<string, unknown>,
  ): Promise<Translated> {
    const call = { name, arguments: args };
    return this.searchMode.isOn(caller)
      ? this.searchMode.translate({ caller, filter }, call)
      : { kind: 'call', ...call };
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
