import { Inject, Injectable } from '@nestjs/common';
import {
  type CallState,
  type ErrorInfo,
  PlatformError,
  toolCallQueue,
  type ToolCallEvent,
  type ToolCallOutcome,
  toPlatformError,
} from '@switchyard/contracts';
import { ledgerOutcome } from '@switchyard/database';
import { QueueClient } from '@switchyard/queue';
import { inSpan, Log, withLogContext } from '@switchyard/service-kit';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config.js';
import { GatewayMetrics } from '../gateway-metrics.js';
import { ResultCache } from '../result-cache/result-cache.service.js';
import { approvalRequired, type OpenApproval } from './approval-required.js';
import { CallPreparation } from './call-preparation.service.js';
import { patienceOf, roundKeyOf } from './call-terms.js';
import { GatedCalls, type Word } from './gated-calls.service.js';
import { LedgerRepository } from './ledger.repository.js';
import { OutcomeWaiter } from './outcome-waiter.service.js';
import { type CallRequest, type CallTarget, isGated, type PreparedCall } from './prepared-call.js';

/** How a call ended, or why there is no call. */
export type CallAnswer =
  | { readonly kind: 'refused'; readonly error: ErrorInfo; readonly tool?: CallTarget }
  | {
      readonly kind: 'ended';
      readonly outcome: ToolCallOutcome;
      readonly tool: CallTarget;
      /** Of an earlier call's result, that answers this one too. */
      readonly ageMs?: number;
      /** Where it has not ended at all, but waits for a person; the outcome says so. */
      readonly approval?: OpenApproval;
    };

export type AcceptAnswer =
  | { readonly kind: 'refused'; readonly error: ErrorInfo }
  | {
      readonly kind: 'accepted';
      readonly callId: string;
      readonly status: CallState;
      /** Until when it waits for a person, where it does. */
      readonly waitsUntil?: Date;
    };

/** The call goes on, and can be asked for by its id. */
export type PendingAnswer = {
  readonly kind: 'pending';
  readonly callId: string;
  readonly status: CallState;
  readonly tool: CallTarget;
};

type Followed = {
  readonly callId: string;
  readonly deadlineAt: number;
  /** Resolves if that replica tells. */
  readonly news: Promise<ToolCallOutcome>;
};

/**
 * The one place where calls enter, whatever face they came to: resolve → validate → seal → accept or enqueue →
 * await → outcome.
 */
@Injectable()
export class ToolCallsService {
  constructor(
    private readonly preparation: CallPreparation,
    private readonly ledger: LedgerRepository,
    private readonly waiter: OutcomeWaiter,
    private readonly gated: GatedCalls,
    private readonly queue: QueueClient,
    private readonly cache: ResultCache,
    private readonly metrics: GatewayMetrics,
    private readonly log: Log,
    @Inject(GATEWAY_CONFIG) private readonly config: Pick<GatewayConfig, 'calls' | 'oauth'>,
  ) {}

  /** Makes the call and waits for its end. */
  async call(request: CallRequest, traceparent?: string): Promise<CallAnswer> {
    return this.#traced(request, traceparent, async () => {
      const preparation = await this.preparation.prepare(request, request.idempotencyKey !== undefined);
      if (preparation.kind === 'refused') return preparation;
      const { prepared } = preparation;
      return withLogContext({ callId: prepared.call.callId }, async () => {
        const answer = await this.metrics.step('await', () => this.#endOrRepeat(prepared, request));
        this.log.debug({ tool: prepared.call.outwardName, kind: answer.kind }, 'a call was answered');
        return answer;
      });
    });
  }

  /**
   * Waits for the end of a call that this caller made at another replica, if it may still reach what it called. Refuses
   * with `deadline_exceeded` or `cancelled` where the end does not become known.
   */
  async follow(request: CallRequest, { callId, deadlineAt, news }: Followed): Promise<CallAnswer> {
    const reached = await this.preparation.reach(request);
    if ('code' in reached) return { kind: 'refused', error: reached };
    const { target: tool } = reached;
    const over = new AbortController();
    const signal = request.signal ? AbortSignal.any([request.signal, over.signal]) : over.signal;
    try {
      const end = this.waiter.follow(callId, { deadlineAt, signal });
      return { kind: 'ended', outcome: await Promise.race([end, news]), tool };
    } catch (thrown) {
      return { kind: 'refused', error: toPlatformError(thrown).toInfo(), tool };
    } finally {
      over.abort('settled');
    }
  }

  /** The user decides about a call of theirs that waits for approval, and is told what became of it. */
  async decide(
    request: CallRequest,
    open: OpenApproval,
    { word, traceparent }: { word: Word; traceparent?: string },
  ): Promise<CallAnswer> {
    return this.#traced(request, traceparent, async () => {
      const reached = await this.preparation.reach(request);
      if ('code' in reached) return { kind: 'refused', error: reached };
      return this.gated.decide(open, { request, tool: reached.target, word });
    });
  }

  /** Takes the call into the ledger and answers at once. The same Idempotency-Key gives the first call again. */
  async accept(request: CallRequest, traceparent?: string): Promise<AcceptAnswer> {
    return this.#traced(request, traceparent, async () => {
      const preparation = await this.preparation.prepare(request, true);
      if (preparation.kind === 'refused') return preparation;
      const { prepared } = preparation;
      const { callId, existing, conflict } = await this.#accept(prepared, request);
      if (conflict) return { kind: 'refused', error: new PlatformError('idempotency_conflict').toInfo() };
      if (!existing && !isGated(prepared)) {
        await this.#enqueueAccepted(prepared);
        return { kind: 'accepted', callId, status: 'accepted' };
      }
      const row = await this.ledger.find(callId);
      const isWaiting = row?.status === 'awaiting_approval';
      return {
        ...{ kind: 'accepted', callId, status: row?.status ?? 'accepted' },
        ...(isWaiting && { waitsUntil: row.deadline_at }),
      };
    });
  }

  /** Takes the call into the ledger and waits for its end, but no longer than `waitMs`. */
  async callOrPend(
    request: CallRequest,
    { waitMs, traceparent }: { waitMs: number; traceparent?: string },
  ): Promise<CallAnswer | PendingAnswer> {
    return this.#traced(request, traceparent, async () => {
      const preparation = await this.preparation.prepare(request, true);
      if (preparation.kind === 'refused') return preparation;
      const { prepared } = preparation;
      const { tool } = prepared;
      if (isGated(prepared)) {
        const patience = patienceOf(request, waitMs);
        const waiting = { ...request, signal: patience.signal };
        const answer = await this.gated.call(prepared, waiting).finally(patience.end);
        return gaveUp(answer, patience.signal) ? this.#asItStands(answer.outcome.callId, tool) : answer;
      }
      const { callId, existing, conflict } = await this.#accept(prepared, request);
      if (conflict)
        return { kind: 'refused', tool, error: new PlatformError('idempotency_conflict').toInfo() };
      if (waitMs === 0 && !existing) await this.#enqueueAccepted(prepared);
      if (waitMs === 0) return this.#asItStands(callId, tool);
      const patience = patienceOf(request, waitMs);
      const waiting = { ...request, signal: patience.signal };
      const outcome = await (
        existing ? this.#firstCall(callId, prepared, waiting) : this.waiter.run(prepared, waiting)
      ).finally(patience.end);
      const answer = { kind: 'ended', tool, outcome } as const;
      return gaveUp(answer, patience.signal) ? this.#asItStands(callId, tool) : answer;
    });
  }

  async #asItStands(callId: string, tool: CallTarget): Promise<CallAnswer | PendingAnswer> {
    const row = await this.ledger.find(callId);
    const outcome = row && ledgerOutcome(row);
    if (outcome) return { kind: 'ended', tool, outcome };
    return { kind: 'pending', callId, status: row?.status ?? 'accepted', tool };
  }

  /** Where an admin let results be repeated, an earlier call of the same may answer. */
  async #endOrRepeat(prepared: PreparedCall, request: CallRequest): Promise<CallAnswer> {
    if (isGated(prepared)) return this.gated.call(prepared, request);
    const key = this.cache.keyOf(prepared, request);
    if (key === undefined) return this.#end(prepared, request);
    const cached = this.cache.find(key);
    if (cached) return { kind: 'ended', tool: prepared.tool, ...cached };
    let hasAsked = false;
    const { onEvent } = request;
    const hear = (event: ToolCallEvent) => {
      hasAsked ||= event.kind === 'question';
      onEvent?.(event);
    };
    const answer = await this.#end(prepared, onEvent ? { ...request, onEvent: hear } : request);
    if (answer.kind === 'ended' && !hasAsked) this.cache.keep(key, prepared, answer.outcome);
    return answer;
  }

  async #end(prepared: PreparedCall, request: CallRequest): Promise<CallAnswer> {
    const { tool, call } = prepared;
    if (!call.ledgerFirst) return this.#run(prepared, request);
    const { callId, existing, conflict } = await this.#accept(prepared, request);
    if (conflict) return { kind: 'refused', tool, error: new PlatformError('idempotency_conflict').toInfo() };
    if (!existing) return this.#run(prepared, request);
    return { kind: 'ended', tool, outcome: await this.#firstCall(callId, prepared, request) };
  }

  async #run(prepared: PreparedCall, request: CallRequest): Promise<CallAnswer> {
    const { tool, call } = prepared;
    request.onStart?.({ ...call, tool });
    return { kind: 'ended', tool, outcome: await this.waiter.run(prepared, request) };
  }

  /** The first call of the key may still run: then this request waits for it too. */
  async #firstCall(callId: string, { tool }: PreparedCall, request: CallRequest): Promise<ToolCallOutcome> {
    const row = await this.ledger.find(callId);
    if (!row) throw new PlatformError('dependency_unavailable');
    request.onStart?.({ callId, deadlineAt: row.deadline_at.getTime(), ledgerFirst: true, tool });
    const outcome = ledgerOutcome(row);
    if (outcome || row.status !== 'awaiting_approval') return outcome ?? this.waiter.join(row, request);
    // It was asked for under another policy than today's, and nobody waits for a person.
    const open = { callId, expiresAt: row.deadline_at };
    const error = approvalRequired(open, tool, this.config.oauth.issuer);
    return { status: 'failed', callId, authPath: null, error };
  }

  #accept(prepared: PreparedCall, request: CallRequest) {
    const { idempotencyTtlMs } = this.config.calls;
    const idempotencyKey = roundKeyOf(request);
    return this.metrics.step('accept', () =>
      this.ledger.accept(prepared, {
        ...(isGated(prepared)
          ? { status: 'awaiting_approval', approval: prepared.approval }
          : { status: 'accepted' }),
        ...{ idempotencyKey, idempotencyTtlMs },
      }),
    );
  }

  /** It is accepted either way: what is not in the queue now, the sweeper puts there. */
  async #enqueueAccepted({ call, job }: PreparedCall): Promise<void> {
    await this.queue
      .enqueue(toolCallQueue(call.lane), job, { jobId: call.callId })
      .catch((err: unknown) =>
        this.log.warn({ err, callId: call.callId }, 'an accepted call is left to the sweeper'),
      );
  }

  #traced<T extends CallAnswer | AcceptAnswer | PendingAnswer>(
    { caller, tool }: CallRequest,
    parent: string | undefined,
    fn: () => Promise<T>,
  ): Promise<T> {
    const attributes = {
      'mcp.tool': tool,
      'switchyard.face': caller.runKind,
      'switchyard.org': caller.orgId,
    };
    return inSpan('tool call', { parent, attributes }, async (span) => {
      const answer = await this.metrics.step('total', fn);
      const outcome = outcomeLabel(answer);
      span.setAttribute('switchyard.outcome', outcome);
      this.metrics.callEnded(caller.runKind, outcome);
      return answer;
    });
  }
}

/** What a wait says that was given up is not what became of the call. */
function gaveUp(answer: CallAnswer, signal: AbortSignal): answer is CallAnswer & { kind: 'ended' } {
  if (!signal.aborted || answer.kind !== 'ended' || answer.outcome.status === 'completed') return false;
  return answer.outcome.error.code === 'cancelled';
}

function outcomeLabel(answer: CallAnswer | AcceptAnswer | PendingAnswer): string {
  switch (answer.kind) {
    case 'refused':
      return answer.error.code;
    case 'accepted':
    case 'pending':
      return answer.kind;
    case 'ended':
      if (answer.approval) return 'approval_required';
      return answer.ageMs === undefined ? answer.outcome.status : 'repeated';
  }
}
