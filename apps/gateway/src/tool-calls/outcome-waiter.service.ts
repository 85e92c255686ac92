import { Inject, Injectable } from '@nestjs/common';
import {
  type ErrorInfo,
  PlatformError,
  queues,
  toolCallQueue,
  type ToolCallOutcome,
  toPlatformError,
} from '@switchyard/contracts';
import { type LedgerCall, ledgerOutcome } from '@switchyard/database';
import { QueueClient } from '@switchyard/queue';
import { Log } from '@switchyard/service-kit';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config.js';
import { EndedCalls } from './ended-calls.service.js';
import { LedgerRepository } from './ledger.repository.js';
import { ActiveClock } from './active-clock.js';
import { CallerLeft, type CallRequest, type PreparedCall } from './prepared-call.js';
import { Questions } from './questions.service.js';

const cancelTimeoutMs = 5_000;
/** Given, as every call ends with it: without a reason, each abort makes an error with a stack trace. */
const settledReason = 'settled';

type Follow = { readonly deadlineAt: number; readonly signal?: AbortSignal };
type Interest = Pick<CallRequest, 'onEvent' | 'signal'>;
/** What to say of a call of which nothing is known but this. */
type Presumed = { readonly safe: boolean; readonly error: ErrorInfo };

/** Puts a call into its queue and waits until it ends, by whatever way the news comes. */
@Injectable()
export class OutcomeWaiter {
  constructor(
    private readonly queue: QueueClient,
    private readonly ledger: LedgerRepository,
    private readonly endedCalls: EndedCalls,
    private readonly questions: Questions,
    private readonly log: Log,
    @Inject(GATEWAY_CONFIG) private readonly config: Pick<GatewayConfig, 'calls'>,
  ) {}

  /** Enqueues the call and gives its end; never rejects for what can happen to a call. */
  async run(prepared: PreparedCall, interest: Interest): Promise<ToolCallOutcome> {
    const { callId, ledgerFirst } = prepared.call;
    const watch = this.endedCalls.watch(callId, ledgerFirst ? {} : { direct: prepared });
    const settled = new AbortController();
    const clock = this.#clockOf(prepared, settled);
    const signal = signalOf(interest, settled);
    try {
      return await Promise.race([
        watch.outcome,
        this.#ask(prepared, { ...interest, signal }, watch.askLedger),
      ]);
    } finally {
      clock?.stop();
      watch.stop();
      this.questions.ended(callId);
      settled.abort(settledReason);
    }
  }

  /** Waits for a call that another replica has made, whose news come by the ledger alone. Rejects at its deadline. */
  async follow(callId: string, { deadlineAt, signal }: Follow): Promise<ToolCallOutcome> {
    const watch = this.endedCalls.watch(callId);
    const settled = new AbortController();
    const timeoutMs = deadlineAt - Date.now() + this.config.calls.graceMs;
    const wait = { timeoutMs, signal: signalOf({ signal }, settled) };
    const end = this.queue.awaitAnswer(queues.toolCallsInteractive, callId, wait);
    try {
      return await Promise.race([watch.outcome, end]);
    } finally {
      watch.stop();
      settled.abort(settledReason);
      end.catch(() => undefined);
    }
  }

  /** A call that may ask a person has a late deadline, of which the upstream itself may use only a part. */
  #clockOf({ call, job }: PreparedCall, settled: AbortController): ActiveClock | undefined {
    if (!job.client || call.acceptedAt + job.client.activeMs >= call.deadlineAt) return undefined;
    const { callId } = call;
    const clock = new ActiveClock(job.client.activeMs + this.config.calls.graceMs, () =>
      settled.abort(new PlatformError('deadline_exceeded')),
    );
    clock.onStop(this.questions.watch(callId, () => clock.run(this.questions.open(callId).length === 0)));
    return clock;
  }

  /** Waits for a call that another request has made, until that call's own deadline. */
  async join(first: LedgerCall, interest: Interest): Promise<ToolCallOutcome> {
    const callId = first.call_id;
    const watch = this.endedCalls.watch(callId);
    const settled = new AbortController();
    const signal = signalOf(interest, settled);
    const timeoutMs = first.deadline_at.getTime() - Date.now() + this.config.calls.graceMs;
    // An answer comes here only if this process made the call; the wait is for the deadline and the caller too.
    const answer = this.queue.awaitAnswer(queues.toolCallsInteractive, callId, { timeoutMs, signal });
    try {
      return await Promise.race([watch.outcome, answer]);
    } catch (thrown) {
      const error = toPlatformError(thrown).toInfo();
      const known = await this.#verdict(callId, { safe: first.safe ?? false, error });
      return known ?? { callId, authPath: null, status: 'expired', error };
    } finally {
      watch.stop();
      settled.abort(settledReason);
    }
  }

  async #ask(prepared: PreparedCall, interest: Interest, askLedger: () => void): Promise<ToolCallOutcome> {
    const { call, job } = prepared;
    const queue = toolCallQueue(call.lane);
    try {
      return await this.queue.request(queue, job, { jobId: call.callId, ...this.#wait(prepared, interest) });
    } catch (thrown) {
      const error = toPlatformError(thrown);
      if (error.code !== 'queue_unavailable') return this.#unanswered(prepared, error);
      // Nothing was stored, and only an accepted call is kept for the sweeper to enqueue.
      if (!call.ledgerFirst && error.details?.['enqueued'] === 'no') return failed(prepared, error.toInfo());
    }
    askLedger();
    return this.queue
      .awaitAnswer(queue, call.callId, this.#wait(prepared, interest))
      .catch((thrown: unknown) => this.#unanswered(prepared, toPlatformError(thrown)));
  }

  #wait({ call }: PreparedCall, { onEvent, signal }: Interest) {
    return { timeoutMs: call.deadlineAt - Date.now() + this.config.calls.graceMs, onEvent, signal };
  }

  async #unanswered(prepared: PreparedCall, error: PlatformError): Promise<ToolCallOutcome> {
    if (error.code === 'cancelled' && error.cause instanceof PlatformError)
      return this.#atDeadline(prepared, error.cause.toInfo());
    if (error.code === 'cancelled') return this.#left(prepared, error);
    if (error.code === 'deadline_exceeded') return this.#atDeadline(prepared, error.toInfo());
    const { callId } = prepared.call;
    this.log.error({ err: error, callId }, 'a worker could not process a call');
    const known = await this.#verdict(callId, { safe: prepared.tool.safe, error: error.toInfo() });
    return known ?? failed(prepared, error.toInfo());
  }

  /** What the ledger says of a call that nobody answered: its end, or that it was sent. Undefined: it was never sent. */
  async #verdict(callId: string, presumed: Presumed): Promise<ToolCallOutcome | undefined> {
    try {
      const row = await this.ledger.find(callId);
      const outcome = row && ledgerOutcome(row);
      if (outcome || row?.status !== 'running') return outcome;
      return presumablySent(callId, { ...presumed, safe: row.safe ?? presumed.safe });
    } catch (err) {
      this.log.error({ err, callId }, 'the ledger could not be asked how a call ended');
      return presumablySent(callId, presumed);
    }
  }

  /**
   * Never sent, it must not be sent any more: its job goes, and the row that is written now would stop at the fence
   * a worker that has just taken it.
   */
  async #atDeadline(prepared: PreparedCall, error: ErrorInfo): Promise<ToolCallOutcome> {
    const { call, tool } = prepared;
    const presumed = { safe: tool.safe, error };
    const known = await this.#verdict(call.callId, presumed);
    if (known) return known;
    await this.queue.remove(toolCallQueue(call.lane), call.callId).catch(() => false);
    if (!call.ledgerFirst) {
      await this.ledger
        .accept(prepared, { status: 'expired', error })
        .catch((err: unknown) =>
          this.log.warn({ err, callId: call.callId }, 'an expired call was not recorded'),
        );
    }
    const final = await this.#verdict(call.callId, presumed);
    return final ?? { callId: call.callId, authPath: null, status: 'expired', error };
  }

  /** A caller that is gone comes back for a call with an Idempotency-Key; any other call is cancelled. */
  async #left(prepared: PreparedCall, error: PlatformError): Promise<ToolCallOutcome> {
    const { callId, ledgerFirst } = prepared.call;
    const how = error.cause instanceof CallerLeft ? error.cause.how : 'settled';
    if (how === 'cancelled' || (how === 'disconnected' && !ledgerFirst)) {
      await this.#cancel(prepared, error.toInfo()).catch((err: unknown) =>
        this.log.warn({ err, callId }, 'a call whose caller left could not be cancelled'),
      );
    }
    return { callId, authPath: null, status: 'cancelled', error: error.toInfo() };
  }

  /** Who runs it knows whether it can still be undone; what waits needs nobody. */
  async #cancel(prepared: PreparedCall, error: ErrorInfo): Promise<void> {
    const { call } = prepared;
    if (!call.ledgerFirst && (await this.queue.remove(toolCallQueue(call.lane), call.callId))) {
      await this.ledger.accept(prepared, { status: 'cancelled', error });
      return;
    }
    const wish = { v: 1, callId: call.callId, orgId: call.caller.orgId } as const;
    await this.queue.request(queues.toolCallCancellations, wish, { timeoutMs: cancelTimeoutMs });
  }
}

/** Ends the other wait too, once one of them is over: a deadline can be a day away. */
function signalOf({ signal }: Interest, settled: AbortController): AbortSignal {
  return signal ? AbortSignal.any([signal, settled.signal]) : settled.signal;
}

function failed({ call }: PreparedCall, error: ErrorInfo): ToolCallOutcome {
  return { callId: call.callId, authPath: null, status: 'failed', error };
}

function presumablySent(callId: string, { safe, error }: Presumed): ToolCallOutcome {
  return safe
    ? { callId, authPath: null, status: 'failed', error }
    : {
        callId,
        authPath: null,
        status: 'outcome_unknown',
        error: new PlatformError('outcome_unknown').toInfo(),
      };
}
