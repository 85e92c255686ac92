import { setTimeout as delay } from 'node:timers/promises';
import {
  toPlatformError,
  type AuthPath,
  type Lane,
  type ToolCallEvent,
  type ToolCallJob,
  type ToolCallOutcome,
  type ToolResult,
  type UpstreamFailure,
} from '@switchyard/contracts';
import { UpstreamError } from '@switchyard/mcp-client';
import type { Log } from '@switchyard/service-kit';
import type { BreakersService } from '../breakers/breakers.service.js';
import { type Lease, type LeaseClient, type LeaseComplaint, LeaseRefused } from '../leases/lease-client.js';
import type { SendCall } from '../upstreams/upstream-call.js';
import { ActiveClock } from '../questions/active-clock.js';
import type { CallQuestions } from '../questions/call-questions.js';
import { placesOf } from '../questions/places.js';
import { activeUntil } from './active-until.js';
import type { CallMetrics } from './call-metrics.js';
import type { CallTarget } from './call-target.js';
import { decideRetry } from './decide-retry.js';
import { ended, failed } from './outcomes.js';
import type { AbortReason, RunningCall } from './running-calls.js';

export type SendReport =
  | { status: 'answered'; result: ToolResult; authPath: AuthPath | null; attempts: number }
  | { status: 'ended'; outcome: ToolCallOutcome; authPath: AuthPath | null; attempts: number }
  | { status: 'retry_later'; delayMs: number; attempts: number }
  /** Another worker has the call by now: nothing more is sent from here. */
  | { status: 'lost' };

export type Sending = {
  job: ToolCallJob;
  resolved: CallTarget;
  running: RunningCall;
  /** Whether the call is still this worker's. Asked before each send: its lease may have taken any time. */
  stands: () => Promise<boolean>;
  emit: (event: ToolCallEvent) => void;
};

type FailedAttempt = {
  status: 'failed';
  failure: UpstreamFailure;
  /** Null where nothing was sent, for there was no lease. */
  lease: Lease | null;
  /** Of the lease, or of its refusal. */
  authPath: AuthPath | null;
};

type Attempt = { status: 'answered'; result: ToolResult; lease: Lease } | { status: 'lost' } | FailedAttempt;

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
      questions: CallQuestions;
      /** How many calls the worker runs at once. */
      concurrency: Record<Lane, number>;
      log: Log;
    },
    private readonly now: () => number = Date.now,
  ) {}

  async send(sending: Sending): Promise<SendReport> {
    const { callId, deadlineAt, caller, lane } = sending.job.sealed.call;
    const limits = { activeUntil: activeUntil(sending.job), deadlineAt };
    const clock = new ActiveClock(limits, () => sending.running.abort('deadline'), this.now);
    const slots = this.parts.concurrency[lane];
    const places = placesOf(caller, { lane, slots }, sending.resolved.integration);
    this.parts.questions.begin(callId, clock, places);
    const emit: Sending['emit'] = (event) => {
      if (this.parts.questions.noted(callId, event)) sending.emit(event);
    };
    try {
      return await this.attemptUntilDone({ ...sending, emit }, clock);
    } finally {
      this.parts.questions.end(callId);
      clock.stop();
    }
  }

  private async attemptUntilDone(sending: Sending, clock: ActiveClock): Promise<SendReport> {
    const { job, running } = sending;
    let refused: LeaseComplaint['refused'] = null;
    for (let attempts = job.attempts + 1; ; attempts++) {
      if (running.signal.aborted)
        return { status: 'ended', outcome: aborted(sending, null), authPath: null, attempts: attempts - 1 };
      const attempt = await this.attempt(sending, { attempt: attempts, refused });
      if (attempt.status === 'lost') return attempt;
      if (attempt.status === 'answered')
        return {
          status: 'answered',
          result: attempt.result,
          authPath: attempt.lease.authPath,
          attempts,
        };
      if (!refused && !running.signal.aborted && isRefusedCredential(attempt)) {
        refused = { credential: attempt.lease.credential, again: false };
        continue;
      }
      const judged = running.signal.aborted ? attempt : await this.complain(sending, attempt);
      const next = this.afterFailure(sending, judged, { attempts, remainingMs: clock.remainingMs });
      if (next.status !== 'again') return next;
      await delay(next.delayMs, undefined, { signal: running.signal }).catch(() => undefined);
    }
  }

  /** What a failed attempt leads to. The breaker counts calls that ended, not their attempts. */
  private afterFailure(
    sending: Sending,
    { failure, lease, authPath }: FailedAttempt,
    { attempts, remainingMs }: { attempts: number; remainingMs: number },
  ): SendReport | { status: 'again'; delayMs: number } {
    const { job, resolved, running } = sending;
    const { callId } = job.sealed.call;
    if (running.signal.aborted) {
      if (lease && running.signal.reason === 'deadline') this.judgeHealth(resolved.integration.id, failure);
      return { status: 'ended', outcome: aborted(sending, authPath, failure), authPath, attempts };
    }
    running.sent = failure.failureClass === 'sent_no_answer';
    const retry = { safe: resolved.safe, retries: attempts - 1, remainingMs };
    const decision = decideRetry(failure, retry);
    if (decision.again && decision.delayMs > waitInPlaceMs)
      return { status: 'retry_later', delayMs: decision.delayMs, attempts };
    if (decision.again) return { status: 'again', delayMs: decision.delayMs };
    if (lease) this.judgeHealth(resolved.integration.id, failure);
    const outcome = failed(callId, authPath, { failure, safe: resolved.safe });
    return { status: 'ended', outcome, authPath, attempts };
  }

  private async attempt(
    { job, resolved, running, stands, emit }: Sending,
    { attempt, refused }: { attempt: number; refused: LeaseComplaint['refused'] },
  ): Promise<Attempt> {
    const { integration } = resolved;
    let lease: Lease;
    try {
      lease = await this.parts.metrics.step('lease', () =>
        this.parts.leases.lease(integration, job, { refused, insufficientScopes: null }),
      );
      if (!(await stands())) return { status: 'lost' };
    } catch (error) {
      return { status: 'failed', failure: leaseFailure(error), lease: null, authPath: pathOf(error) };
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
      return { status: 'failed', failure: sendFailure(error), lease, authPath: lease.authPath };
    }
  }

  /**
   * Tells the broker what the upstream refused for good: a token that was new, or its scopes. The broker knows whose
   * consent would mend it, and its refusal says so in the place of the upstream's.
   */
  private async complain({ job, resolved }: Sending, attempt: FailedAttempt): Promise<FailedAttempt> {
    const complaint = complaintOf(attempt);
    if (!complaint) return attempt;
    try {
      await this.parts.leases.lease(resolved.integration, job, complaint);
      return attempt;
    } catch (error) {
      if (!(error instanceof LeaseRefused)) return attempt;
      return { ...attempt, failure: leaseFailure(error), authPath: error.authPath };
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
function isRefusedCredential(attempt: FailedAttempt): attempt is FailedAttempt & { lease: Lease } {
  const { failure, lease } = attempt;
  return (
    failure.error.code === 'upstream_denied' &&
    failure.failureClass === 'not_sent' &&
    lease !== null &&
    lease.authPath !== 'none'
  );
}

/** A static credential is an admin's to mend, and the upstream's own words say so. */
function complaintOf(attempt: FailedAttempt): LeaseComplaint | null {
  if (attempt.lease === null || attempt.authPath === 'static') return null;
  if (isRefusedCredential(attempt))
    return { refused: { credential: attempt.lease.credential, again: true }, insufficientScopes: null };
  const { code, details } = attempt.failure.error;
  if (code !== 'scope_insufficient') return null;
  return { refused: null, insufficientScopes: Array.isArray(details?.['scopes']) ? details['scopes'] : [] };
}

function pathOf(error: unknown): AuthPath | null {
  return error instanceof LeaseRefused ? error.authPath : null;
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

/** What may be over in a moment, so that the call may try again within its deadline. */
const passing = new Set(['dependency_unavailable', 'authorization_server_unavailable']);

/** Nothing was sent. A broker or a vendor that is away may be back in a moment; a refusal stands. */
function leaseFailure(error: unknown): UpstreamFailure {
  const known = toPlatformError(error);
  return {
    failureClass: passing.has(known.code) ? 'not_sent' : 'answered',
    error: known.toInfo(),
  };
}

/** An error that the upstream's client did not classify tells nothing about what was sent. */
function sendFailure(error: unknown): UpstreamFailure {
  if (error instanceof UpstreamError) return error.failure;
  return { failureClass: 'sent_no_answer', error: toPlatformError(error).toInfo() };
}
