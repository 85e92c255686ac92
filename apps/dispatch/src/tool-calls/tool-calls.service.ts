import { PlatformError, type ToolCallJob, type ToolCallOutcome } from '@switchyard/contracts';
import type { JobContext } from '@switchyard/queue';
import type { Log } from '@switchyard/service-kit';
import type { BreakersService } from '../breakers/breakers.service.js';
import { ledgerRow, type CallProgress, type LedgerRow } from '../ledger/ledger-row.js';
import type { KnownCall } from '../ledger/ledger.repository.js';
import type { LedgerService } from '../ledger/ledger.service.js';
import type { LimitsService } from '../limits/limits.service.js';
import type { CallMetrics } from './call-metrics.js';
import type { CallTarget } from './call-target.js';
import { capResult } from './cap-result.js';
import type { CallSender, SendReport } from './call-sender.js';
import { activeUntil } from './active-until.js';
import { askedOfNobody } from './asked-of-nobody.js';
import { completed, ended, failed, fromLedger } from './outcomes.js';
import type { RunningCall, RunningCalls } from './running-calls.js';
import type { Resolution, ToolResolver } from './tool-resolver.js';

export type ToolCallSettings = { workerId: string; resultLimitBytes: number; now: () => number };

/** What the steps are made of. */
export type ToolCallParts = {
  resolver: ToolResolver;
  breakers: BreakersService;
  limits: LimitsService;
  ledger: LedgerService;
  sender: CallSender;
  runningCalls: RunningCalls;
  metrics: CallMetrics;
  log: Log;
  settings: ToolCallSettings;
};

/** One call in this worker's hand. */
type InHand = {
  job: ToolCallJob;
  ctx: JobContext;
  resolved: CallTarget;
  running: RunningCall;
  startedAt: number | null;
};

/** A call either ended here, or went back to its queue as another job, or waits for a person and is not to be run. */
export type Processed = ToolCallOutcome | 'requeued' | 'awaiting_approval';

/**
 * The steps of one tool call, in order: check the deadline → resolve → admit (breaker, limits) → fence → lease and
 * send → classify → answer → record. Each step may end the call; what it ends with is an outcome, never a throw.
 */
export class ToolCallsService {
  constructor(private readonly parts: ToolCallParts) {}

  /** Runs the call to its end, or hands it back to its queue. Resolves once the end is durable. */
  async process(job: ToolCallJob, ctx: JobContext): Promise<Processed> {
    const { call } = job.sealed;
    this.parts.metrics.taken(call, this.parts.settings.now());
    const known = ctx.redelivered ? await this.parts.ledger.find(call.callId) : undefined;
    if (known && isOver(known.status)) return this.answer(ctx, fromLedger(call.callId, known));
    const resolution = await this.parts.resolver.resolveAnew(call);
    const safe = isSafe(resolution, known);
    const running = this.parts.runningCalls.begin(call, safe);
    try {
      if (known?.status === 'running' && !safe)
        return await this.conclude({ job, ctx, safe, outcome: fromLedger(call.callId, known) });
      if (activeUntil(job) <= this.parts.settings.now())
        return await this.conclude({ job, ctx, safe, outcome: expired(call.callId) });
      if (resolution.status === 'missing') {
        return await this.conclude({
          job,
          ctx,
          safe,
          outcome: ended('failed', call.callId, resolution.error),
        });
      }
      return await this.admit({ job, ctx, resolved: resolution.resolved, running, startedAt: null });
    } finally {
      this.parts.runningCalls.end(call.callId);
    }
  }

  private async admit(inHand: InHand): Promise<Processed> {
    const { job, resolved } = inHand;
    const { call } = job.sealed;
    try {
      await this.parts.breakers.admit(call.integrationId);
    } catch (error) {
      const failure = { failureClass: 'answered' as const, error: asPlatformError(error).toInfo() };
      return this.concludeInHand(inHand, failed(call.callId, null, { failure, safe: resolved.safe }));
    }
    const admission = await this.parts.limits.admit(call, resolved.integration, {
      round: job.round,
      rateAdmitted: job.rateAdmitted ?? false,
    });
    if (!admission.admitted)
      return this.requeue(inHand, {
        delayMs: admission.delayMs,
        rateAdmitted: admission.rateAdmitted,
        attempts: job.attempts,
      });
    try {
      return await this.fenceAndSend(inHand);
    } finally {
      if (admission.holdsSlot)
        await this.parts.limits
          .release(call.callId)
          .catch((err: unknown) => this.parts.log.warn({ err }, 'a slot was not released'));
    }
  }

  private async fenceAndSend(inHand: InHand): Promise<Processed> {
    const { job, resolved, running } = inHand;
    const { call } = job.sealed;
    const startedAt = this.parts.settings.now();
    if (!resolved.safe || call.ledgerFirst || job.round > 0) {
      // As it is about to be sent: whoever finds the row after a crash has nothing else to tell of it.
      const row = this.row(inHand, { status: 'running', startedAt, attempts: job.attempts + 1 });
      const fence = await this.parts.metrics.step('fence', () => this.parts.ledger.fence(row));
      const stopped = fence === true ? undefined : await this.stoppedBy(fence, inHand, row);
      if (stopped !== undefined) return stopped;
    }
    inHand.startedAt = startedAt;
    const report = await this.parts.sender.send({
      job,
      resolved,
      running,
      emit: (event) => inHand.ctx.emit(event),
    });
    if (report.status === 'retry_later') {
      return this.requeue(inHand, { delayMs: report.delayMs, rateAdmitted: true, attempts: report.attempts });
    }
    return this.concludeSent(inHand, report);
  }

  /** What stands in the way of a send; undefined where it may be sent all the same. */
  private async stoppedBy(known: KnownCall, inHand: InHand, row: LedgerRow): Promise<Processed | undefined> {
    if (known.status === 'awaiting_approval') {
      this.parts.log.error('a job of a call that waits for approval was dropped');
      return known.status;
    }
    const mayRepeat = known.status === 'running' && inHand.resolved.safe;
    if (!mayRepeat) return this.concludeInHand(inHand, fromLedger(inHand.job.sealed.call.callId, known));
    await this.parts.ledger.adopt(row);
    return undefined;
  }

  private async concludeSent(
    inHand: InHand,
    report: Exclude<SendReport, { status: 'retry_later' }>,
  ): Promise<ToolCallOutcome> {
    const { job, ctx, resolved } = inHand;
    const { callId } = job.sealed.call;
    const progress = { authPath: report.authPath, attempts: report.attempts, startedAt: inHand.startedAt };
    if (report.status === 'ended') {
      return this.conclude({ job, ctx, safe: resolved.safe, resolved, outcome: report.outcome, progress });
    }
    const capped = capResult(report.result, this.parts.settings.resultLimitBytes);
    const failure = capped.tooLarge ?? askedOfNobody(job, report.result);
    const outcome = failure
      ? failed(callId, report.authPath, { failure, safe: resolved.safe })
      : completed(callId, report.authPath, report.result);
    const kept = failure || !keepsResult(inHand) ? null : capped.text;
    return this.conclude({
      job,
      ctx,
      safe: resolved.safe,
      resolved,
      outcome,
      progress: { ...progress, resultText: kept, resultBytes: capped.bytes },
    });
  }

  /** The call's next job carries on behind the same fence. A wait that would outlive the deadline is not begun. */
  private async requeue(
    inHand: InHand,
    next: { delayMs: number; rateAdmitted: boolean; attempts: number },
  ): Promise<Processed> {
    const { job, ctx, resolved } = inHand;
    const { call } = job.sealed;
    if (this.parts.settings.now() + next.delayMs >= activeUntil(job))
      return this.concludeInHand(inHand, expired(call.callId));
    const again = { ...job, round: job.round + 1, attempts: next.attempts, rateAdmitted: next.rateAdmitted };
    if (call.ledgerFirst || inHand.startedAt !== null) {
      await this.parts.ledger.backToQueue(
        this.row({ ...inHand, job: again }, { status: 'queued', attempts: next.attempts }),
        job,
        next.delayMs,
      );
    }
    await ctx.requeue(again, { delayMs: next.delayMs, jobId: `${call.callId}-r${again.round}` });
    this.parts.metrics.requeued(resolved.integration.slug);
    return 'requeued';
  }

  private concludeInHand(inHand: InHand, outcome: ToolCallOutcome): Promise<ToolCallOutcome> {
    const { job, ctx, resolved } = inHand;
    return this.conclude({ job, ctx, safe: resolved.safe, resolved, outcome });
  }

  /** Answers the waiting face at once, then makes the end durable: the answer does not wait for the commit. */
  private async conclude(end: {
    job: ToolCallJob;
    ctx: JobContext;
    safe: boolean;
    resolved?: CallTarget;
    outcome: ToolCallOutcome;
    progress?: Partial<CallProgress>;
  }): Promise<ToolCallOutcome> {
    const { job, ctx, safe, resolved, outcome } = end;
    await this.answer(ctx, outcome);
    const progress: Partial<CallProgress> = {
      status: outcome.status,
      outcome,
      authPath: outcome.authPath,
      endedAt: this.parts.settings.now(),
      ...end.progress,
    };
    const row = this.rowOf(job, { safe, resolved }, progress);
    await this.parts.metrics.step('record', () => this.parts.ledger.end(row));
    this.parts.metrics.ended(job.sealed.call, outcome, this.parts.settings.now());
    this.parts.log.info(
      {
        tool: job.sealed.call.outwardName,
        lane: job.sealed.call.lane,
        outcome: outcome.status,
        ...(outcome.status !== 'completed' && { code: outcome.error.code }),
        ms: this.parts.settings.now() - job.sealed.call.acceptedAt,
      },
      'a call ended',
    );
    return outcome;
  }

  private async answer(ctx: JobContext, outcome: ToolCallOutcome): Promise<ToolCallOutcome> {
    // The ledger has the outcome for whoever misses the answer.
    await ctx
      .reply(outcome)
      .catch((err: unknown) => this.parts.log.warn({ err }, 'an answer was not delivered'));
    return outcome;
  }

  private row({ job, resolved }: InHand, progress: Partial<CallProgress>): LedgerRow {
    return this.rowOf(job, { safe: resolved.safe, resolved }, progress);
  }

  private rowOf(
    job: ToolCallJob,
    { safe, resolved }: { safe: boolean; resolved?: CallTarget },
    progress: Partial<CallProgress>,
  ): LedgerRow {
    return ledgerRow(job, {
      status: 'running',
      integrationSlug: resolved?.integration.slug ?? '',
      safe,
      authPath: null,
      attempts: job.attempts,
      workerId: this.parts.settings.workerId,
      traceId: this.parts.metrics.traceId(),
      startedAt: null,
      endedAt: null,
      outcome: null,
      resultText: null,
      resultBytes: null,
      keepArguments: keeps(resolved?.integration.retention, job.sealed.call.ledgerFirst),
      ...progress,
    });
  }
}

function keepsResult({ resolved, job }: InHand): boolean {
  return keeps(resolved.integration.retention, job.sealed.call.ledgerFirst);
}

function keeps(retention: 'always' | 'ledger_first' | 'never' | undefined, ledgerFirst: boolean): boolean {
  return retention === undefined || retention === 'always' || (retention === 'ledger_first' && ledgerFirst);
}

/** Of a tool that is gone, only the row of a worker before this one tells it. */
function isSafe(resolution: Resolution, known: KnownCall | undefined): boolean {
  return resolution.status === 'found' ? resolution.resolved.safe : known?.safe === true;
}

function isOver(status: string): boolean {
  return !['accepted', 'awaiting_approval', 'queued', 'running'].includes(status);
}

function expired(callId: string): ToolCallOutcome {
  return ended('expired', callId, { code: 'deadline_exceeded', message: 'It was never sent.' });
}

function asPlatformError(error: unknown): PlatformError {
  return error instanceof PlatformError
    ? error
    : new PlatformError('dependency_unavailable', { cause: error });
}
