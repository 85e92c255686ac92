import { Injectable } from '@nestjs/common';
import { PlatformError, queues, toolCallQueue, type ToolCallOutcome } from '@switchyard/contracts';
import { acceptCall, findLedgerCalls, type LedgerCall, ledgerOutcome, Sql } from '@switchyard/database';
import { QueueClient, Sealer } from '@switchyard/queue';
import { Log } from '@switchyard/service-kit';
import { unlessAborted } from '../engine/stop.js';
import type { PlannedTool, Run, RunCall } from '../runs/run-data.js';
import { EndedCalls } from './ended-calls.service.js';
import { toJob } from './to-job.js';

const cancelTimeoutMs = 5_000;

type Wanted = { readonly run: Run; readonly call: RunCall; readonly tool: PlannedTool };

/** Calls of runs: in the ledger first, then a job, then their end. */
@Injectable()
export class RunCallsService {
  constructor(
    private readonly sql: Sql,
    private readonly queue: QueueClient,
    private readonly sealer: Sealer,
    private readonly ended: EndedCalls,
    private readonly log: Log,
  ) {}

  /**
   * Makes the call, or finds it where an earlier runner of this run made it, and waits for its end. The signal ends
   * the wait and not the call.
   */
  async run(wanted: Wanted, signal: AbortSignal): Promise<ToolCallOutcome> {
    const { callId } = wanted.call;
    const watch = this.ended.watch(callId);
    try {
      const known = await this.#find(callId);
      const outcome = known && ledgerOutcome(known);
      if (outcome) return outcome;
      signal.throwIfAborted();
      // What a worker has or had, dispatch looks after: a second job of it could only disturb.
      if (!known || known.status === 'accepted') await this.#hand(wanted, known);
      return await unlessAborted(watch.ended, signal);
    } finally {
      watch.stop();
    }
  }

  /** Asks dispatch to cancel the call, if it was ever made. What it cannot undo goes on to its own end. */
  async cancel(orgId: string, callId: string): Promise<void> {
    try {
      const known = await this.#find(callId);
      if (!known || known.ended_at) return;
      const wish = { v: 1, callId, orgId } as const;
      await this.queue.request(queues.toolCallCancellations, wish, { timeoutMs: cancelTimeoutMs });
    } catch (err) {
      this.log.warn({ err, callId }, 'a call of a cancelled run could not be cancelled');
    }
  }

  async #find(callId: string): Promise<LedgerCall | undefined> {
    const [row] = await findLedgerCalls(this.sql, [callId]);
    return row;
  }

  async #hand(wanted: Wanted, known: LedgerCall | undefined): Promise<void> {
    const job = toJob(this.sealer, { ...wanted, times: timesOf(wanted, known) });
    const { call } = job.sealed;
    if (!known)
      await acceptCall(
        this.sql,
        { job, integrationSlug: wanted.tool.integrationSlug },
        { status: 'accepted' },
      );
    // Accepted it is, so the sweeper of dispatch enqueues what could not be enqueued here.
    await this.queue
      .enqueue(toolCallQueue(call.lane), job, { jobId: call.callId })
      .catch((err: unknown) =>
        this.log.warn({ err, callId: call.callId }, 'an accepted call is left to the sweeper'),
      );
  }
}

function timesOf({ run, tool }: Wanted, known: LedgerCall | undefined) {
  if (known) return { acceptedAt: known.accepted_at.getTime(), deadlineAt: known.deadline_at.getTime() };
  if (!run.agent) throw new PlatformError('internal');
  const acceptedAt = Date.now();
  return { acceptedAt, deadlineAt: acceptedAt + (tool.deadlineMs ?? run.agent.toolDeadlineMs) };
}
