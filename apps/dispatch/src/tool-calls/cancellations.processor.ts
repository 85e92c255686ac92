import {
  PlatformError,
  isTerminal,
  queues,
  toolCallQueue,
  topics,
  type CallState,
  type ParsedPayloadOf,
  type ResultOf,
} from '@switchyard/contracts';
import type { Consumer, QueueClient } from '@switchyard/queue';
import type { LedgerRepository } from '../ledger/ledger.repository.js';
import type { RunningCalls } from './running-calls.js';

/** How long a cancellation waits to see whether the running call ends by it. */
const settleMs = 2_000;
const settlePollMs = 50;

type Request = ParsedPayloadOf<typeof queues.toolCallCancellations>;
type Answer = ResultOf<typeof queues.toolCallCancellations>;

/** Cancels calls for the faces: what was never sent ends here, what runs is aborted by its worker where that is harmless. */
export class CancellationsProcessor {
  constructor(
    private readonly queue: QueueClient,
    private readonly ledger: LedgerRepository,
    private readonly runningCalls: RunningCalls,
  ) {}

  async start(): Promise<Consumer> {
    await this.queue.subscribe(topics.toolCallCancel, ({ callId }) => this.runningCalls.cancel(callId));
    return this.queue.consume(queues.toolCallCancellations, (request) => this.cancel(request), {
      concurrency: 8,
    });
  }

  private async cancel({ callId, orgId }: Request): Promise<Answer> {
    const known = await this.ledger.stateOf(callId, orgId);
    if (known && isTerminal(known.status)) return { status: 'done', state: known.status };
    if (known && (await this.ledger.cancelUnsent(callId, orgId))) {
      await this.queue.remove(
        toolCallQueue(known.lane),
        known.round === 0 ? callId : `${callId}-r${known.round}`,
      );
      await this.queue.publish(topics.toolCallEnded, { callId });
      if (known.status === 'awaiting_approval')
        await this.queue.publish(topics.approvalDecided, { orgId, callId, runId: known.run_id });
      return { status: 'done', state: 'cancelled' };
    }
    // A direct call has no row while it waits: its worker, now or when it takes the job, ends it.
    await this.queue.publish(topics.toolCallCancel, { callId });
    const state = await this.settle(callId, orgId);
    return state
      ? { status: 'done', state }
      : { status: 'refused', error: new PlatformError('not_found').toInfo() };
  }

  private async settle(callId: string, orgId: string): Promise<CallState | undefined> {
    const until = Date.now() + settleMs;
    for (;;) {
      const known = await this.ledger.stateOf(callId, orgId);
      if ((known && isTerminal(known.status)) || Date.now() > until) return known?.status;
      await new Promise((resolve) => setTimeout(resolve, settlePollMs));
    }
  }
}
