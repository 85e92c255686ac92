import { Inject, Injectable } from '@nestjs/common';
import { type RequestFilter, resolveTools, SnapshotStore } from '@switchyard/access';
import { PlatformError } from '@switchyard/contracts';
import type { Principal } from '../auth/principal.js';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config.js';
import type { CallRequest } from '../tool-calls/prepared-call.js';
import { type CallAnswer, type PendingAnswer, ToolCallsService } from '../tool-calls/tool-calls.service.js';
import { type CallBody, toolIdOf } from './bff-requests.js';
import { type CallAnswerBody, endedAnswer, pendingAnswer } from './call-answer.js';
import { findByToolId, readToolId } from './find-by-tool-id.js';

/** What a call brings besides its body. */
export type CallFrame = Pick<CallRequest, 'filter' | 'idempotencyKey' | 'requestId' | 'signal'> & {
  readonly waitMs: number;
  readonly traceparent: string | undefined;
};

/** Calls as chat backends make them: ledger-first, waited for as long as the backend likes. */
@Injectable()
export class BffCalls {
  constructor(
    private readonly snapshots: SnapshotStore,
    private readonly toolCalls: ToolCallsService,
    @Inject(GATEWAY_CONFIG) private readonly config: Pick<GatewayConfig, 'bff'>,
  ) {}

  /** Throws what keeps a call from being made at all; how a call ended is the answer's to say. */
  async call(principal: Principal, body: CallBody, frame: CallFrame): Promise<CallAnswerBody> {
    const startedAt = Date.now();
    const { waitMs, traceparent, ...rest } = frame;
    const request: CallRequest = {
      ...rest,
      caller: principal.caller,
      userToken: principal.userToken,
      tool: await this.#nameOf(principal, toolIdOf(body), frame.filter),
      arguments: body.arguments ?? {},
      validate: body.validate_schema ?? true,
      usualDeadlineMs: this.config.bff.deadlineMs,
    };
    const answer = await this.toolCalls.callOrPend(request, { waitMs, traceparent });
    if (answer.kind === 'refused') throw PlatformError.fromInfo(answer.error);
    const elapsedMs = Date.now() - startedAt;
    const called = calledTool(answer);
    return answer.kind === 'pending'
      ? pendingAnswer(called, answer.callId, elapsedMs)
      : endedAnswer(called, answer.outcome, elapsedMs);
  }

  /** The tools of the caller, as every face resolves them. */
  tools({ caller }: Principal, filter: RequestFilter | undefined) {
    return resolveTools(this.snapshots.current(), caller, filter);
  }

  async #nameOf({ caller }: Principal, toolId: string, filter: RequestFilter | undefined): Promise<string> {
    const reference = readToolId(toolId);
    const look = () => findByToolId({ snapshot: this.snapshots.current(), caller, filter }, reference);
    let found = look();
    if (typeof found !== 'string') {
      // Nobody is refused by old news.
      await this.snapshots.refresh();
      found = look();
    }
    if (typeof found !== 'string') throw PlatformError.fromInfo(found);
    return found;
  }
}

function calledTool({ tool }: Exclude<CallAnswer, { kind: 'refused' }> | PendingAnswer) {
  return { tool_id: `${tool.integration.id}:${tool.tool.name}`, name: tool.outwardName };
}
