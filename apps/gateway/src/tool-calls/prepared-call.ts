import { createHash } from 'node:crypto';
import type { ResolvedTool } from '@switchyard/access';
import {
  type CallerContext,
  laneOf,
  type ToolCall,
  type ToolCallEvent,
  type ToolCallJob,
} from '@switchyard/contracts';
import { sealToolCall, type Sealer } from '@switchyard/queue';
import { v7 } from 'uuid';
import type { UserToken } from '../auth/principal.js';

/** What a face asks for. */
export type CallRequest = {
  readonly caller: CallerContext;
  /** The token by which a user calls; for integrations that exchange it. */
  readonly userToken?: UserToken;
  /** The outward name. */
  readonly tool: string;
  readonly arguments: Record<string, unknown>;
  /** The part of the caller's `_meta` that is meant for the tool. */
  readonly meta?: Record<string, unknown>;
  /** Where the face lets callers choose; else the tool's, the integration's, or the default. */
  readonly deadlineMs?: number;
  readonly idempotencyKey?: string;
  /** The face's own name of the request, for the ledger. */
  readonly requestId?: string;
  /** Hears of progress; absent where the caller did not ask for it. */
  readonly onEvent?: (event: ToolCallEvent) => void;
  /** Aborts with a `CallerLeft` reason. */
  readonly signal?: AbortSignal;
};

/** Why nobody waits for a call any more. */
export class CallerLeft extends Error {
  override readonly name = 'CallerLeft';

  constructor(readonly how: 'disconnected' | 'cancelled') {
    super(`The caller ${how}.`);
  }
}

/** A call that was resolved, checked and sealed, and that nobody has been told of yet. */
export type PreparedCall = {
  readonly tool: ResolvedTool;
  readonly call: ToolCall;
  readonly job: ToolCallJob;
};

type Facts = {
  readonly ledgerFirst: boolean;
  readonly deadlineMs: number;
  /** Sealed to the broker. */
  readonly subjectToken?: string;
  readonly now?: number;
};

/** Makes the call and its job. Seals what dispatch and the broker will trust. */
export function prepareCall(
  sealer: Sealer,
  request: CallRequest,
  tool: ResolvedTool,
  facts: Facts,
): PreparedCall {
  const acceptedAt = facts.now ?? Date.now();
  const call: ToolCall = {
    v: 1,
    callId: v7(),
    integrationId: tool.integration.id,
    tool: tool.tool.name,
    outwardName: tool.outwardName,
    caller: request.caller,
    lane: laneOf(request.caller.runKind),
    ledgerFirst: facts.ledgerFirst,
    argumentsSha256: sha256(JSON.stringify(request.arguments)),
    subjectTokenSha256: facts.subjectToken === undefined ? null : sha256(facts.subjectToken),
    acceptedAt,
    deadlineAt: acceptedAt + facts.deadlineMs,
    runId: null,
    requestId: request.requestId ?? null,
  };
  const job: ToolCallJob = {
    v: 1,
    sealed: sealToolCall(sealer, call),
    arguments: request.arguments,
    ...(facts.subjectToken !== undefined && { subjectToken: facts.subjectToken }),
    ...(request.meta && { meta: request.meta }),
    progress: request.onEvent !== undefined,
    round: 0,
    attempts: 0,
  };
  return { tool, call, job };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
