import { toolCallQueue, topics, type Lane } from '@switchyard/contracts';
import type { QueueClient } from '@switchyard/queue';
import type { Log } from '@switchyard/service-kit';
import { jobId, jobOf, type WaitingCall } from '../ledger/waiting-call.js';
import type { ExpiredCall, SweeperRepository } from './sweeper.repository.js';

export type SweeperSettings = {
  tickMs: number;
  deadAfterMs: number;
  retentionDays: number;
  /** What else is made up for, at every tick. */
  alsoSweep: () => Promise<void>;
};

const batch = 500;
const cleanEveryMs = 600_000;

/**
 * Keeps the promise that an accepted call is never lost: what the ledger has and the queue lost is added again, what
 * nobody can run any more is ended. Every worker sweeps; row locks (SKIP LOCKED) keep them off each other's rows.
 */
export class SweeperService {
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<void> | null = null;
  private cleanedAt = 0;
  /** Jobs may be lost: every waiting row is looked after as fast as it goes. */
  private isUrgent = true;

  constructor(
    private readonly repository: SweeperRepository,
    private readonly queue: QueueClient,
    private readonly log: Log,
    private readonly settings: SweeperSettings,
  ) {}

  /** The first sweep looks after every waiting row: nobody knows what the queue lost while no worker ran. */
  async start(): Promise<void> {
    await this.repository.beat();
    await this.repository.makeAllDue();
    this.queue.onReconnect(() => void this.lookAfterAll().catch(this.unswept));
    this.timer = setInterval(() => this.sweepSoon(), this.settings.tickMs);
    this.sweepSoon();
  }

  private async lookAfterAll(): Promise<void> {
    await this.repository.makeAllDue();
    this.isUrgent = true;
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.sweeping;
    await this.repository.leave();
  }

  private sweepSoon(): void {
    this.sweeping ??= this.sweep()
      .catch(this.unswept)
      .finally(() => {
        this.sweeping = null;
      });
  }

  private readonly unswept = (err: unknown): void => this.log.warn({ err }, 'a sweep did not finish');

  private async sweep(): Promise<void> {
    const { deadAfterMs, retentionDays } = this.settings;
    await this.repository.beat();
    await this.tellExpired(await this.repository.expire());
    await this.tellEnded((await this.repository.judgeOrphans(deadAfterMs)).ended);
    await this.repository.freeSlots(deadAfterMs);
    await this.enqueueLost();
    await this.settings.alsoSweep();
    if (Date.now() - this.cleanedAt > cleanEveryMs) {
      this.cleanedAt = Date.now();
      await this.repository.clean(retentionDays);
    }
  }

  /**
   * One batch for each sweep while the queue has lost nothing: looking after 50,000 rows that merely wait, all at once,
   * slowed the calls of others tenfold. Where jobs are missing, or may be, it goes on at once.
   */
  private async enqueueLost(): Promise<void> {
    for (;;) {
      const waiting = await this.repository.takeWaiting(batch);
      const lanes = Map.groupBy(waiting, ({ lane }) => lane);
      let lost = 0;
      for (const [lane, calls] of lanes) lost += await this.enqueueMissing(lane, calls);
      if (waiting.length < batch) this.isUrgent = false;
      if (waiting.length < batch || (lost === 0 && !this.isUrgent)) return;
    }
  }

  /** Returns how many were missing. */
  private async enqueueMissing(lane: Lane, calls: WaitingCall[]): Promise<number> {
    const queue = toolCallQueue(lane);
    const present = await this.queue.exists(queue, calls.map(jobId));
    const lost = calls.filter((call) => !present.has(jobId(call)));
    if (lost.length === 0) return 0;
    this.log.warn({ lane, count: lost.length }, 'calls whose jobs the queue lost are added again');
    await this.queue.enqueueMany(
      queue,
      lost.map((call) => ({ jobId: jobId(call), correlationId: call.call_id, payload: jobOf(call) })),
    );
    return lost.length;
  }

  private async tellExpired(calls: ExpiredCall[]): Promise<void> {
    await this.tellEnded(calls.map(({ call_id }) => call_id));
    const unapproved = calls.filter(({ was }) => was === 'awaiting_approval');
    await Promise.all(
      unapproved.map(({ call_id: callId, org_id: orgId, run_id: runId }) =>
        this.queue.publish(topics.approvalDecided, { orgId, callId, runId }),
      ),
    );
  }

  private async tellEnded(callIds: string[]): Promise<void> {
    await Promise.all(callIds.map((callId) => this.queue.publish(topics.toolCallEnded, { callId })));
  }
}
