import type { ToolCallJob, ToolCallOutcome } from '@switchyard/contracts';
import type { JobContext } from '@switchyard/queue';
import type { Log } from '@switchyard/service-kit';
import type { CallHold } from '../ledger/call-hold.js';
import { type CallProgress, ledgerRow, type LedgerRow } from '../ledger/ledger-row.js';
import type { LedgerService } from '../ledger/ledger.service.js';
import type { CallMetrics } from './call-metrics.js';
import type { CallTarget } from './call-target.js';
import { fromLedger } from './outcomes.js';

/** A job as this worker took it. */
export type Taken = { job: ToolCallJob; ctx: JobContext; hold: CallHold };

type Parts = {
  ledger: LedgerService;
  metrics: CallMetrics;
  log: Log;
  settings: { workerId: string; now: () => number };
};

/** How a call leaves this worker's hand: with its end in the ledger and an answer, or to the worker that has it by now. */
export class CallEnds {
  constructor(private readonly parts: Parts) {}

  /** Another has the call, and answers whoever waits; unless that has ended already. */
  async leave({ job, ctx }: Taken): Promise<ToolCallOutcome | 'not_ours'> {
    const { callId } = job.sealed.call;
    const known = await this.parts.ledger.find(callId);
    if (known && isOver(known.status)) return this.answer(ctx, fromLedger(callId, known));
    this.parts.log.warn('a call was left to the worker that has it by now');
    ctx.leaveAnswer();
    return 'not_ours';
  }

  /**
   * Answers the waiting face at once, then makes the end durable: the answer does not wait for the commit. What was never
   * sent from here says nothing of a call that another has sent by now.
   */
  async conclude(
    end: Taken & {
      safe: boolean;
      resolved?: CallTarget;
      outcome: ToolCallOutcome;
      progress?: Partial<CallProgress>;
    },
  ): Promise<ToolCallOutcome | 'not_ours'> {
    const { job, ctx, hold, safe, resolved, outcome } = end;
    if (!hold.isFenced && !(await hold.stands().catch(() => true))) return this.leave(end);
    await this.answer(ctx, outcome);
    const progress: Partial<CallProgress> = {
      status: outcome.status,
      outcome,
      authPath: outcome.authPath,
      endedAt: this.parts.settings.now(),
      ...end.progress,
    };
    const row = this.rowOf(end, { safe, resolved }, progress);
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

  async answer(ctx: JobContext, outcome: ToolCallOutcome): Promise<ToolCallOutcome> {
    // The ledger has the outcome for whoever misses the answer.
    await ctx
      .reply(outcome)
      .catch((err: unknown) => this.parts.log.warn({ err }, 'an answer was not delivered'));
    return outcome;
  }

  /** What the ledger is told of the call. */
  rowOf(
    { job, hold }: Taken,
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
      holder: hold.id,
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

export function keeps(
  retention: 'always' | 'ledger_first' | 'never' | undefined,
  ledgerFirst: boolean,
): boolean {
  return retention === undefined || retention === 'always' || (retention === 'ledger_first' && ledgerFirst);
}

/** Whether a call in this state stays as it is. */
export function isOver(status: string): boolean {
  return !['accepted', 'awaiting_approval', 'queued', 'running'].includes(status);
}
