import { Injectable } from '@nestjs/common';
import type { ExecutionPolicy } from '@switchyard/access';
import { PlatformError, toolCallQueue, type ToolCallOutcome } from '@switchyard/contracts';
import { acceptCall, findLedgerCalls, type LedgerCall, ledgerOutcome, Sql } from '@switchyard/database';
import { QueueClient, Sealer } from '@switchyard/queue';
import { Log } from '@switchyard/service-kit';
import { unlessAborted } from '../engine/stop.js';
import type { PlannedTool, Run, RunCall } from '../runs/run-data.js';
import { cancelCall, cancelWaitingCalls } from './cancel-call.js';
import { EndedCalls } from './ended-calls.service.js';
import { toJob } from './to-job.js';

/** Where a call stands that was to wait for a person: it waits, or something has ended its wait by now. */
export type Asked = 'waiting' | 'decided';

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
      if (!known && wanted.call.isDecided) return neverApproved(callId);
      // What a worker has or had, dispatch looks after: a second job of it could only disturb.
      if (!known || known.status === 'accepted') await this.#hand(wanted, known);
      return await unlessAborted(watch.ended, signal);
    } finally {
      watch.stop();
    }
  }

  /**
   * Puts the call into the ledger, where it waits for a person; dispatch sees to the rest. One that is there already is left as
   * it is: what an earlier runner asked is asked once.
   */
  async askApproval(wanted: Wanted, policy: ExecutionPolicy): Promise<Asked> {
    const known = await this.#find(wanted.call.callId);
    if (known) return known.status === 'awaiting_approval' ? 'waiting' : 'decided';
    const { version: policyVersion, terms } = policy;
    const acceptedAt = Date.now();
    const times = { acceptedAt, deadlineAt: acceptedAt + terms.expiresMs };
    const approval = { policyVersion, terms, deadlineMs: deadlineOf(wanted), agentId: wanted.run.agentId };
    const job = toJob(this.sealer, { ...wanted, times });
    const { integrationSlug } = wanted.tool;
    await acceptCall(this.sql, { job, integrationSlug }, { status: 'awaiting_approval', approval });
    return 'waiting';
  }

  /** Whether the ledger has it. */
  async isMade(callId: string): Promise<boolean> {
    return (await this.#find(callId)) !== undefined;
  }

  /** False where dispatch did not answer. */
  async cancel(orgId: string, callId: string): Promise<boolean> {
    return cancelCall({ sql: this.sql, queue: this.queue, log: this.log }, orgId, callId);
  }

  /** Takes back what waits for a person in a run. False where dispatch did not answer. */
  async cancelWaiting(orgId: string, runId: string): Promise<boolean> {
    return cancelWaitingCalls({ sql: this.sql, queue: this.queue, log: this.log }, orgId, runId);
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

/** The ledger forgot it: what was approved cannot be told any more. */
function neverApproved(callId: string): ToolCallOutcome {
  const error = new PlatformError('approval_expired').toInfo();
  return { callId, authPath: null, status: 'expired', error };
}

function timesOf(wanted: Wanted, known: LedgerCall | undefined) {
  if (known) return { acceptedAt: known.accepted_at.getTime(), deadlineAt: known.deadline_at.getTime() };
  const acceptedAt = Date.now();
  return { acceptedAt, deadlineAt: acceptedAt + deadlineOf(wanted) };
}

function deadlineOf({ run, tool }: Wanted): number {
  if (!run.agent) throw new PlatformError('internal');
  return tool.deadlineMs ?? run.agent.toolDeadlineMs;
}
