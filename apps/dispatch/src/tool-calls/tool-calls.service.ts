import { PlatformError, type ToolCallJob, type ToolCallOutcome } from '@switchyard/contracts';
import type { JobContext } from '@switchyard/queue';
import type { Log } from '@switchyard/service-kit';
import type { BreakersService } from '../breakers/breakers.service.js';
import type { CallProgress, LedgerRow } from '../ledger/ledger-row.js';
import { CallHold } from '../ledger/call-hold.js';
import type { KnownCall } from '../ledger/ledger.repository.js';
import type { LedgerService } from '../ledger/ledger.service.js';
import type { LimitsService } from '../limits/limits.service.js';
import type { CallMetrics } from './call-metrics.js';
import { CallEnds, isOver, keeps, type Taken } from './call-ends.js';
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
type InHand = Taken & {
  resolved: CallTarget;
  running: RunningCall;
  startedAt: number | null;
};

/**
 * A call either ended here, or went back to its queue as another job, or waits for a person and is not to be run, or is
 * another worker's by now.
 */
export type Processed = ToolCallOutcome | 'requeued' | 'awaiting_approval' | 'not_ours';

/**
 * The steps of one tool call, in order: check the deadline → resolve → admit (breaker, limits) → fence → lease and
 * send → classify → answer → record. Each step may end the call; what it ends with is an outcome, never a throw.
 */
export class ToolCallsService {
  private readonly ends: CallEnds;

  constructor(private readonly parts: ToolCallParts) {
    this.ends = new CallEnds(parts);
  }

  /**
   * Runs the call to its end, or hands it back to its queue. Resolves once the end is durable. `holder` names this taking of
   * the job. A throw means a broken platform.
   */
  async process(job: ToolCallJob, ctx: JobContext, holder: string): Promise<Processed> {
    const { call } = job.sealed;
    const { now } = this.parts.settings;
    this.parts.metrics.taken(call, now());
    const known = await this.before(job, ctx);
    if (known && isOver(known.status)) return this.ends.answer(ctx, fromLedger(call.callId, known));
    const taken = this.take(job, ctx, { holder, known });
    const { lost } = taken.hold;
    const resolution = await this.parts.resolver.resolveAnew(call);
    const safe = isSafe(resolution, known);
    const running = this.parts.runningCalls.begin(call, safe);
    try {
      if (lost && !safe) return await this.judge(taken, lost);
      if (activeUntil(job) <= now())
        return await this.ends.conclude({ ...taken, safe, outcome: expired(call.callId) });
      if (resolution.status === 'missing') {
        const outcome = ended('failed', call.callId, resolution.error);
        return await this.ends.conclude({ ...taken, safe, outcome });
      }
      return await this.admit({ ...taken, resolved: resolution.resolved, running, startedAt: null });
    } finally {
      this.parts.runningCalls.end(call.callId);
    }
  }

  /** What the ledger knows of the call, where this job is not the first to take it. */
  private async before({ heldBy, sealed }: ToolCallJob, ctx: JobContext): Promise<KnownCall | undefined> {
    if (!ctx.redelivered && heldBy === undefined) return undefined;
    return this.parts.ledger.find(sealed.call.callId);
  }

  private take(
    job: ToolCallJob,
    ctx: JobContext,
    { holder, known }: { holder: string; known: KnownCall | undefined },
  ): Taken {
    const { ledger, settings } = this.parts;
    const lost = known && isLost(known, job, ctx) ? known : undefined;
    const parts = { ledger, now: settings.now, signal: ctx.signal };
    return { job, ctx, hold: new CallHold(parts, { callId: job.sealed.call.callId, id: holder, lost }) };
  }

  /** What a lost worker has sent to an unsafe tool is unknown. */
  private async judge(taken: Taken, lost: KnownCall): Promise<Processed> {
    const { job, hold } = taken;
    const row = this.ends.rowOf(taken, { safe: false }, { status: 'running' });
    if (!(await this.parts.ledger.adopt(row, lost))) return this.ends.leave(taken);
    hold.fenced();
    return this.ends.conclude({ ...taken, safe: false, outcome: fromLedger(job.sealed.call.callId, lost) });
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
      inHand.hold.fenced();
    }
    inHand.startedAt = startedAt;
    const report = await this.parts.sender.send({
      job,
      resolved,
      running,
      stands: () => inHand.hold.stands(),
      emit: (event) => inHand.ctx.emit(event),
    });
    if (report.status === 'lost') return this.ends.leave(inHand);
    if (report.status === 'retry_later') {
      return this.requeue(inHand, { delayMs: report.delayMs, rateAdmitted: true, attempts: report.attempts });
    }
    return this.concludeSent(inHand, report);
  }

  /** What stands in the way of a send; undefined where it may be sent all the same. */
  private async stoppedBy(known: KnownCall, inHand: InHand, row: LedgerRow): Promise<Processed | undefined> {
    if (known.status === 'awaiting_approval') {
      this.parts.log.error('a job of a call that waits for approval was dropped');
      inHand.ctx.leaveAnswer();
      return known.status;
    }
    if (known.status !== 'running')
      return this.concludeInHand(inHand, fromLedger(inHand.job.sealed.call.callId, known));
    // Of a worker that is gone, as this taking knew when it began: every other one is alive, and will answer.
    const { lost } = inHand.hold;
    const mayRepeat = lost !== undefined && known.holder === lost.holder && inHand.resolved.safe;
    return mayRepeat && (await this.parts.ledger.adopt(row, known)) ? undefined : this.ends.leave(inHand);
  }

  private async concludeSent(
    inHand: InHand,
    report: Exclude<SendReport, { status: 'retry_later' | 'lost' }>,
  ): Promise<Processed> {
    const { job, resolved } = inHand;
    const { callId } = job.sealed.call;
    const progress = { authPath: report.authPath, attempts: report.attempts, startedAt: inHand.startedAt };
    if (report.status === 'ended') {
      return this.ends.conclude({ ...inHand, safe: resolved.safe, outcome: report.outcome, progress });
    }
    const capped = capResult(report.result, this.parts.settings.resultLimitBytes);
    const failure = capped.tooLarge ?? askedOfNobody(job, report.result);
    const outcome = failure
      ? failed(callId, report.authPath, { failure, safe: resolved.safe })
      : completed(callId, report.authPath, report.result);
    const kept = failure || !keepsResult(inHand) ? null : capped.text;
    return this.ends.conclude({
      ...inHand,
      safe: resolved.safe,
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
      const row = this.row({ ...inHand, job: again }, { status: 'queued', attempts: next.attempts });
      if (!(await this.parts.ledger.backToQueue(row, job, next.delayMs))) return this.ends.leave(inHand);
    }
    await ctx.requeue(again, { delayMs: next.delayMs, jobId: `${call.callId}-r${again.round}` });
    this.parts.metrics.requeued(resolved.integration.slug);
    return 'requeued';
  }

  private concludeInHand(inHand: InHand, outcome: ToolCallOutcome): Promise<Processed> {
    return this.ends.conclude({ ...inHand, safe: inHand.resolved.safe, outcome });
  }

  private row(inHand: InHand, progress: Partial<CallProgress>): LedgerRow {
    const { resolved } = inHand;
    return this.ends.rowOf(inHand, { safe: resolved.safe, resolved }, progress);
  }
}

function keepsResult({ resolved, job }: InHand): boolean {
  return keeps(resolved.integration.retention, job.sealed.call.ledgerFirst);
}

/** Whether the row is of a taking that does not go on: the queue says so of this job, or it gave its own back. */
function isLost(row: KnownCall, { heldBy, round }: ToolCallJob, { redelivered }: JobContext): boolean {
  const isGivenBack = heldBy !== undefined && row.holder === heldBy;
  return row.status === 'running' && (isGivenBack || (redelivered && row.round === round));
}

/** Of a tool that is gone, only the row of a worker before this one tells it. */
function isSafe(resolution: Resolution, known: KnownCall | undefined): boolean {
  return resolution.status === 'found' ? resolution.resolved.safe : known?.safe === true;
}

function expired(callId: string): ToolCallOutcome {
  return ended('expired', callId, { code: 'deadline_exceeded', message: 'It was never sent.' });
}

function asPlatformError(error: unknown): PlatformError {
  return error instanceof PlatformError
    ? error
    : new PlatformError('dependency_unavailable', { cause: error });
}
