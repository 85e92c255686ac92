import { setTimeout as delay } from 'node:timers/promises';
import {
  toPlatformError,
  type AuthPath,
  type ToolCallEvent,
  type ToolCallJob,
  type ToolCallOutcome,
  type ToolResult,
  type UpstreamFailure,
} from '@switchyard/contracts';
import type { ResolvedTool } from '@switchyard/access';
import { UpstreamError } from '@switchyard/mcp-client';
import type { Log } from '@switchyard/service-kit';
import type { BreakersService } from '../breakers/breakers.service.js';
import type { Lease, LeaseClient } from '../leases/lease-client.js';
import type { SendCall } from '../upstreams/upstream-call.js';
import type { CallMetrics } from './call-metrics.js';
import { decideRetry } from './decide-retry.js';
import { ended, failed } from './outcomes.js';
import type { AbortReason, RunningCall } from './running-calls.js';

export type SendReport =
  | { status: 'answered'; result: ToolResult; authPath: AuthPath | null; attempts: number }
  | { status: 'ended'; outcome: ToolCallOutcome; authPath: AuthPath | null; attempts: number }
  | { status: 'retry_later'; delayMs: number; attempts: number };

export type Sending = {
  job: ToolCallJob;
  resolved: ResolvedTool;
  running: RunningCall;
  emit: (event: ToolCallEvent) => void;
};

type FailedAttempt = { status: 'failed'; failure: UpstreamFailure; lease: Lease | null };

type Attempt = { status: 'answered'; result: ToolResult; lease: Lease } | FailedAttempt;

/** Longer waits go back to the queue, so that they hold no worker. */
const waitInPlaceMs = 500;
const abortGraceMs = 500;

/** Sends a call, with the retries that its failures allow, until an answer, an end or a wait. */
export class CallSender {
  constructor(
    private readonly parts: {
      leases: LeaseClient;
      sendCall: SendCall;
      breakers: BreakersService;
      metrics: CallMetrics;
      log: Log;
    },
    private readonly now: () => number = Date.now,
  ) {}

  async send(sending: Sending): Promise<SendReport> {
    const { call } = sending.job.sealed;

    const timer = setTimeout(
      () => sending.running.abort('deadline'),
      Math.max(0, call.deadlineAt - this.now()),
    );
    try {
      return await this.attemptUntilDone(sending);
    } finally {
      clearTimeout(timer);
    }
  }

  private async attemptUntilDone(sending: Sending): Promise<SendReport> {
    const { job, running } = sending;
    let refreshed = false;
    for (let attempts = job.attempts + 1; ; attempts++) {
      if (running.signal.aborted)
        return { status: 'ended', outcome: aborted(sending, null), authPath: null, attempts: attempts - 1 };
      const attempt = await this.attempt(sending, { attempt: attempts, forceRefresh: refreshed });
      if (attempt.status === 'answered')
        return {
          status: 'answered',
          result: attempt.result,
          authPath: attempt.lease.authPath,
          attempts,
        };
      if (!refreshed && !running.signal.aborted && isRefusedCredential(attempt)) {
        refreshed = true;
        continue;
      }
      const next = this.afterFailure(sending, attempt, attempts);
      if (next.status !== 'again') return next;
      await delay(next.delayMs, undefined, { signal: running.signal }).catch(() => undefined);
    }
  }

  /** What a failed attempt leads to. The breaker counts calls that ended, not their attempts. */
  private afterFailure(
    sending: Sending,
    { failure, lease }: FailedAttempt,
    attempts: number,
  ): SendReport | { status: 'again'; delayMs: number } {
    const { job, resolved, running } = sending;
    const { callId, deadlineAt } = job.sealed.call;
    const authPath = lease?.authPath ?? null;
    if (running.signal.aborted) {
      if (lease && running.signal.reason === 'deadline') this.judgeHealth(resolved.integration.id, failure);
      return { status: 'ended', outcome: aborted(sending, authPath, failure), authPath, attempts };
    }
    running.sent = failure.failureClass === 'sent_no_answer';
    const retry = { safe: resolved.safe, retries: attempts - 1, remainingMs: deadlineAt - this.now() };
    const decision = decideRetry(failure, retry);
    if (decision.again && decision.delayMs > waitInPlaceMs)
      return { status: 'retry_later', delayMs: decision.delayMs, attempts };
    if (decision.again) return { status: 'again', delayMs: decision.delayMs };
    if (lease) this.judgeHealth(resolved.integration.id, failure);
    const outcome = failed(callId, authPath, { failure, safe: resolved.safe });
    return { status: 'ended', outcome, authPath, attempts };
  }

  private async attempt(
    { job, resolved, running, emit }: Sending,
    { attempt, forceRefresh }: { attempt: number; forceRefresh: boolean },
  ): Promise<Attempt> {
    const { integration } = resolved;
    let lease: Lease;
    try {
      lease = await this.parts.metrics.step('lease', () =>
        this.parts.leases.lease(integration, job.sealed, forceRefresh),
      );
    } catch (error) {
      return { status: 'failed', failure: leaseFailure(error), lease: null };
    }
    running.sent = true;
    try {
      const sent = this.parts.metrics.step('upstream', () =>
        this.parts.sendCall({ job, resolved, lease, attempt, signal: running.signal, onEvent: emit }),
      );
      const result = await orAborted(sent, running.signal);
      this.healthy(integration.id);
      return { status: 'answered', result, lease };
    } catch (error) {
      return { status: 'failed', failure: sendFailure(error), lease };
    }
  }

  private healthy(integrationId: string): void {
    this.parts.metrics.upstreamAnswered(integrationId);
    void this.parts.breakers.succeeded(integrationId).catch(this.unrecorded);
  }

  private judgeHealth(integrationId: string, failure: UpstreamFailure): void {
    if (failure.failureClass === 'answered') this.healthy(integrationId);
    else if (harmsHealth(failure)) void this.parts.breakers.failed(integrationId).catch(this.unrecorded);
  }

  /** The call's end must not hang on the breaker's book-keeping. */
  private readonly unrecorded = (err: unknown): void =>
    this.parts.log.warn({ err }, 'the breaker was not told of a call');
}

/** A refused credential may have been replaced meanwhile: it is leased anew once. */
function isRefusedCredential({ failure, lease }: FailedAttempt): boolean {
  return (
    failure.error.code === 'upstream_denied' &&
    failure.failureClass === 'not_sent' &&
    lease !== null &&
    lease.authPath !== 'none'
  );
}

/** How a call ends that was aborted here: by its caller, its deadline, a revocation or this worker's end. */
function aborted(
  { job, resolved, running }: Sending,
  authPath: AuthPath | null,
  failure?: UpstreamFailure,
): ToolCallOutcome {
  const { callId } = job.sealed.call;
  const reason = running.signal.reason as AbortReason;
  const sent = running.sent && failure?.failureClass !== 'not_sent';
  if (sent && !resolved.safe) {
    return ended('outcome_unknown', callId, {
      code: 'outcome_unknown',
      authPath,
      details: { reason: reason === 'deadline' ? 'deadline_exceeded' : reason },
    });
  }
  if (reason !== 'deadline')
    return ended('cancelled', callId, { code: 'cancelled', authPath, details: { reason } });
  return ended(sent ? 'failed' : 'expired', callId, { code: 'deadline_exceeded', authPath });
}

/**
 * An aborted call gets a moment to tell how far it came. A connection that is still being opened, which serves
 * others too, does not hear the abort; nobody waits for it.
 */
async function orAborted<T>(sent: Promise<T>, signal: AbortSignal): Promise<T> {
  sent.catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;
  const aborted = new Promise<never>((_, reject) => {
    const giveUp = (): void => {
      timer = setTimeout(() => reject(new Error('no word after the abort')), abortGraceMs);
    };
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true });
  });
  return Promise.race([sent, aborted]).finally(() => clearTimeout(timer));
}

/** The breaker counts what tells of a sick server: not refusals of one credential, one quota or one address. */
function harmsHealth({ error }: UpstreamFailure): boolean {
  return ['upstream_unreachable', 'deadline_exceeded', 'cancelled', 'upstream_protocol_error'].includes(
    error.code,
  );
}

/** Nothing was sent. A broker that is away may be back in a moment; a refusal stands. */
function leaseFailure(error: unknown): UpstreamFailure {
  const known = toPlatformError(error);
  return {
    failureClass: known.code === 'dependency_unavailable' ? 'not_sent' : 'answered',
    error: known.toInfo(),
  };
}

/** An error that the upstream's client did not classify tells nothing about what was sent. */
function sendFailure(error: unknown): UpstreamFailure {
  if (error instanceof UpstreamError) return error.failure;
  return { failureClass: 'sent_no_answer', error: toPlatformError(error).toInfo() };
}
