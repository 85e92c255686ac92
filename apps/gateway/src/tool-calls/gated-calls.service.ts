import { Inject, Injectable } from '@nestjs/common';
import { PlatformError, queues, type ToolCallOutcome } from '@switchyard/contracts';
import { type LedgerCall, ledgerOutcome } from '@switchyard/database';
import { QueueClient } from '@switchyard/queue';
import { Log } from '@switchyard/service-kit';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config.js';
import { approvalRequired, type OpenApproval } from './approval-required.js';
import { roundKeyOf } from './call-terms.js';
import { LedgerRepository } from './ledger.repository.js';
import { OutcomeWaiter } from './outcome-waiter.service.js';
import type { CallRequest, CallTarget, GatedCall } from './prepared-call.js';
import type { CallAnswer } from './tool-calls.service.js';

const decideWithinMs = 15_000;

/** What a user said when they were asked whether their call may run. */
export type Word = { readonly approved: boolean; readonly reason: string | null };

type Standing = { readonly callId: string; readonly waitsUntil: Date | undefined };

/** Calls that a person has to approve before they run. Nothing waits for them: the caller is told, and comes again. */
@Injectable()
export class GatedCalls {
  constructor(
    private readonly ledger: LedgerRepository,
    private readonly waiter: OutcomeWaiter,
    private readonly queue: QueueClient,
    private readonly log: Log,
    @Inject(GATEWAY_CONFIG) private readonly config: Pick<GatewayConfig, 'calls' | 'oauth'>,
  ) {}

  /** Asks for approval; or, where the same call asked before and was decided, waits for its end and gives that, once. */
  async call(prepared: GatedCall, request: CallRequest): Promise<CallAnswer> {
    const { tool } = prepared;
    const standing = await this.#ask(prepared, request);
    if (!standing)
      return { kind: 'refused', tool, error: new PlatformError('idempotency_conflict').toInfo() };
    const { callId, waitsUntil } = standing;
    if (waitsUntil) return this.#required(openOf(prepared, callId, waitsUntil), tool);
    return (await this.#end(callId, tool, request)) ?? this.#gone(callId, tool);
  }

  /** The user who calls has decided in the middle of the call. */
  async decide(
    open: OpenApproval,
    { request, tool, word }: { request: CallRequest; tool: CallTarget; word: Word },
  ): Promise<CallAnswer> {
    const { orgId, userId, virtualKeyId, roles } = request.caller;
    if (userId === null || virtualKeyId !== null || !(await this.ledger.findOwn(request.caller, open.callId)))
      throw new PlatformError('forbidden');
    const decision = {
      ...{ v: 1 as const, orgId, callId: open.callId, argumentsSha256: open.argumentsSha256, ...word },
      decider: { kind: 'user' as const, userId, roles, isAdmin: false },
    };
    const { callId } = open;
    const answer = await this.queue
      .request(queues.approvalDecisions, decision, { timeoutMs: decideWithinMs })
      .catch((err: unknown) => this.log.warn({ err, callId }, 'a decision within a call was not answered'));
    if (answer?.status === 'refused')
      this.log.info({ callId, code: answer.error.code }, 'a decision within a call was refused');
    const end = await this.#end(callId, tool, request, true);
    return end ?? this.#required(open, tool);
  }

  /** Undefined: another call has the Idempotency-Key. */
  async #ask(prepared: GatedCall, request: CallRequest): Promise<Standing | undefined> {
    const idempotencyKey = roundKeyOf(request);
    if (idempotencyKey === undefined) {
      const { callId, state, expiresAt } = await this.ledger.ask(prepared);
      return { callId, waitsUntil: state === 'pending' ? expiresAt : undefined };
    }
    const { approval } = prepared;
    const { idempotencyTtlMs } = this.config.calls;
    const entry = { status: 'awaiting_approval', approval, idempotencyKey, idempotencyTtlMs } as const;
    const { callId, conflict } = await this.ledger.accept(prepared, entry);
    if (conflict) return undefined;
    const row = await this.ledger.find(callId);
    return { callId, waitsUntil: row?.status === 'awaiting_approval' ? row.deadline_at : undefined };
  }

  /** Undefined while it waits for a person. `picksUp`: this answer is the one in which its caller is told. */
  async #end(
    callId: string,
    tool: CallTarget,
    request: CallRequest,
    picksUp = false,
  ): Promise<CallAnswer | undefined> {
    const row = await this.ledger.find(callId);
    if (!row || row.status === 'awaiting_approval') return undefined;
    if (picksUp) await this.ledger.pickUp(callId);
    request.onStart?.({ callId, deadlineAt: row.deadline_at.getTime(), ledgerFirst: true, tool });
    return { kind: 'ended', tool, outcome: await this.#outcome(row, request) };
  }

  async #outcome(row: LedgerCall, request: CallRequest): Promise<ToolCallOutcome> {
    return ledgerOutcome(row) ?? this.waiter.join(row, request);
  }

  #required(open: OpenApproval, tool: CallTarget): CallAnswer {
    const error = approvalRequired(open, tool, this.config.oauth.issuer);
    const outcome = { status: 'failed', callId: open.callId, authPath: null, error } as const;
    return { kind: 'ended', tool, outcome, approval: open };
  }

  #gone(callId: string, tool: CallTarget): CallAnswer {
    this.log.warn({ callId }, 'a call that was decided is not in the ledger');
    return { kind: 'refused', tool, error: new PlatformError('dependency_unavailable').toInfo() };
  }
}

function openOf({ call, approval }: GatedCall, callId: string, expiresAt: Date): OpenApproval {
  const { caller, argumentsSha256 } = call;
  // A key is held by programs, so nobody's word comes with it: /api/approvals takes none either.
  const isPerson = caller.kind === 'user' && caller.userId !== null && caller.virtualKeyId === null;
  const isOwn = approval.terms.selfApproval && isPerson;
  return { callId, expiresAt, argumentsSha256, isOwn };
}
