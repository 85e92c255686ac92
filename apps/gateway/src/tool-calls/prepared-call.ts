import { createHash } from 'node:crypto';
import type { RequestFilter, ResolvedTool } from '@switchyard/access';
import {
  type ApprovalWish,
  type CallerContext,
  type CallResume,
  type ClientSide,
  laneOf,
  type ToolCall,
  type ToolCallEvent,
  type ToolCallJob,
  type UpstreamMethod,
} from '@switchyard/contracts';
import { canonicalJson, sealToolCall, type Sealer } from '@switchyard/queue';
import { v7 } from 'uuid';
import type { UserToken } from '../auth/principal.js';

/** What a face asks for. */
export type CallRequest = {
  readonly caller: CallerContext;
  /** The token by which a user calls; for integrations that exchange it. */
  readonly userToken?: UserToken;
  /** Absent: `tools/call`. */
  readonly method?: UpstreamMethod;
  /** The outward name: of a tool, of a prompt; or the outward URI of a resource. */
  readonly tool: string;
  readonly arguments: Record<string, unknown>;
  /** What the call's first round reached: a later round that would reach another one is refused. */
  readonly integrationId?: string;
  /** What the request narrows its caller's tools to. */
  readonly filter?: RequestFilter;
  /** What the waiting client lets the upstream ask of it; the time that it may take is added here. */
  readonly client?: Omit<ClientSide, 'activeMs'>;
  /** The client's answers to an `input_required` result of this very call. */
  readonly resume?: CallResume;
  /** The part of the caller's `_meta` that is meant for the tool. */
  readonly meta?: Record<string, unknown>;
  /** Where the face lets callers choose; else the tool's, the integration's, or the default. */
  readonly deadlineMs?: number;
  /** The face's own default, where neither the tool nor its integration has a deadline. */
  readonly usualDeadlineMs?: number;
  /** False: the tool's vendor alone checks the arguments. */
  readonly validate?: boolean;
  readonly idempotencyKey?: string;
  /** The face's own name of the request, for the ledger. */
  readonly requestId?: string;
  /** Whether the caller asked for progress; absent: whether there is an `onEvent`. */
  readonly progress?: boolean;
  /** Told once, when the call is about to be made, or was made by an earlier request with the same key. */
  readonly onStart?: (call: StartedCall) => void;
  /** Hears of what the worker tells before the end: progress, log messages, questions. */
  readonly onEvent?: (event: ToolCallEvent) => void;
  /** Aborts with a `CallerLeft` reason. */
  readonly signal?: AbortSignal;
};

/** Under which id a call runs, and until when. */
export type StartedCall = {
  readonly callId: string;
  readonly deadlineAt: number;
  readonly ledgerFirst: boolean;
  readonly tool: CallTarget;
};

/** Why nobody waits for a call any more. */
export class CallerLeft extends Error {
  override readonly name = 'CallerLeft';

  constructor(readonly how: 'disconnected' | 'cancelled') {
    super(`The caller ${how}.`);
  }
}

/** What a call is for, as far as all methods have it: a resolved tool; or a prompt or a resource. */
export type CallTarget = Pick<ResolvedTool, 'integration' | 'outwardName' | 'safe' | 'deadlineMs'> & {
  /** By the upstream's own name or URI; a tool's has a hash of what its vendor says of it. */
  readonly tool: Pick<ResolvedTool['tool'], 'name'> & { readonly wireSha256?: string };
  /** How long a result may be repeated; absent or null: not at all. */
  readonly cacheSeconds?: number | null;
  readonly wire: Pick<ResolvedTool['wire'], 'outputSchema' | 'annotations' | 'description'>;
};

/** A call that was resolved, checked and sealed, and that nobody has been told of yet. */
export type PreparedCall = {
  readonly tool: CallTarget;
  readonly call: ToolCall;
  readonly job: ToolCallJob;
  /** Where a person has to approve it first. Then its deadline is the approval's. */
  readonly approval?: ApprovalWish;
};

/** A call that a person has to approve. */
export type GatedCall = PreparedCall & { readonly approval: ApprovalWish };

export function isGated(prepared: PreparedCall): prepared is GatedCall {
  return prepared.approval !== undefined;
}

type Facts = {
  readonly ledgerFirst: boolean;
  readonly deadlineMs: number;
  /** Sealed to the broker. */
  readonly subjectToken?: string;
  readonly now?: number;
};

/** How long people may take, over all questions of one call. */
export const questionTimeMs = 600_000;

/** Makes the call and its job. Seals what dispatch and the broker will trust. */
export function prepareCall(
  sealer: Sealer,
  request: CallRequest,
  tool: CallTarget,
  facts: Facts,
): PreparedCall {
  const client = request.client && { ...request.client, activeMs: facts.deadlineMs };
  const call = toCall(request, tool, { ...facts, patienceMs: asksPeople(client) ? questionTimeMs : 0 });
  const job: ToolCallJob = {
    v: 1,
    sealed: sealToolCall(sealer, call),
    arguments: request.arguments,
    ...(facts.subjectToken !== undefined && { subjectToken: facts.subjectToken }),
    ...(request.meta && { meta: request.meta }),
    progress: request.progress ?? request.onEvent !== undefined,
    ...(client && { client }),
    ...(request.resume && { resume: request.resume }),
    round: 0,
    attempts: 0,
  };
  return { tool, call, job };
}

function toCall(request: CallRequest, tool: CallTarget, facts: Facts & { patienceMs: number }): ToolCall {
  const { method = 'tools/call', caller, resume } = request;
  const acceptedAt = facts.now ?? Date.now();
  return {
    v: 1,
    callId: v7(),
    integrationId: tool.integration.id,
    ...(method !== 'tools/call' && { method }),
    tool: tool.tool.name,
    outwardName: tool.outwardName,
    caller,
    lane: laneOf(caller.runKind),
    ledgerFirst: facts.ledgerFirst,
    argumentsSha256: sha256(JSON.stringify(request.arguments)),
    subjectTokenSha256: facts.subjectToken === undefined ? null : sha256(facts.subjectToken),
    ...(resume && { resumeSha256: sha256(canonicalJson(resume)) }),
    acceptedAt,
    deadlineAt: acceptedAt + facts.deadlineMs + facts.patienceMs,
    runId: null,
    requestId: request.requestId ?? null,
  };
}

/** A model or a person answers these; roots are there at once. */
function asksPeople(client: ClientSide | undefined): boolean {
  return client?.capabilities?.elicitation !== undefined || client?.capabilities?.sampling !== undefined;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
