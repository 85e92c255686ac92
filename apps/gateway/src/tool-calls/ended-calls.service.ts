import { Injectable, type OnModuleInit } from '@nestjs/common';
import { toolCallQueue, type ToolCallOutcome, topics } from '@switchyard/contracts';
import { ledgerOutcome } from '@switchyard/database';
import { QueueClient } from '@switchyard/queue';
import { Log, Shutdown } from '@switchyard/service-kit';
import { LedgerRepository } from './ledger.repository.js';
import type { PreparedCall } from './prepared-call.js';

const pollMs = 1_000;
/** A call that waits for its turn under a limit is added again as `<call id>-r<n>`. */
const roundsLookedFor = 32;

type Watched = {
  /** Set for a call that is nothing but a job until it runs. */
  readonly direct: PreparedCall | undefined;
  /** Whether the answer may not come over the bus, so that the ledger has to be asked. */
  asksLedger: boolean;
  /** How many polls in a row found neither a row nor a job. */
  missing: number;
  readonly resolve: (outcome: ToolCallOutcome) => void;
};

/**
 * The second way to learn how a waiting call ended, beside the answer over the bus: its ledger row. Asked for calls
 * whose job may not know this process (ledger-first ones, which the sweeper may have enqueued), and for all calls
 * that wait when the bus or the queue's store was lost.
 */
@Injectable()
export class EndedCalls implements OnModuleInit {
  readonly #watched = new Map<string, Set<Watched>>();
  #timer: NodeJS.Timeout | undefined;
  #polling: Promise<void> | undefined;

  constructor(
    private readonly queue: QueueClient,
    private readonly ledger: LedgerRepository,
    private readonly log: Log,
    private readonly shutdown: Shutdown,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.queue.subscribe(topics.toolCallEnded, ({ callId }) => {
      if (this.#watched.has(callId)) return this.#poll([callId]);
    });
    this.queue.onReconnect(() => this.#suspectAll());
    this.#timer = setInterval(() => void this.#pollAll(), pollMs);
    this.shutdown.onClose(() => clearInterval(this.#timer));
  }

  /** Resolves when the ledger says that the call ended; never if it does not. Call `stop` in any case. */
  watch(callId: string, options: { direct?: PreparedCall } = {}) {
    const { promise: outcome, resolve } = Promise.withResolvers<ToolCallOutcome>();
    const { direct } = options;
    const entry: Watched = { direct, asksLedger: direct === undefined, missing: 0, resolve };
    this.#watched.set(callId, (this.#watched.get(callId) ?? new Set()).add(entry));
    return {
      outcome,
      askLedger: () => void (entry.asksLedger = true),
      stop: () => this.#forget(callId, entry),
    };
  }

  #forget(callId: string, entry: Watched): void {
    const entries = this.#watched.get(callId);
    entries?.delete(entry);
    if (entries?.size === 0) this.#watched.delete(callId);
  }

  #suspectAll(): void {
    for (const entries of this.#watched.values()) for (const entry of entries) entry.asksLedger = true;
    void this.#pollAll();
  }

  async #pollAll(): Promise<void> {
    const asked = [...this.#watched].filter(([, entries]) =>
      [...entries].some(({ asksLedger }) => asksLedger),
    );
    if (asked.length === 0) return;
    this.#polling ??= this.#poll(asked.map(([callId]) => callId)).finally(() => (this.#polling = undefined));
    await this.#polling;
  }

  async #poll(callIds: string[]): Promise<void> {
    try {
      const rows = await this.ledger.findMany(callIds);
      for (const row of rows) this.#tell(row.call_id, ledgerOutcome(row));
      const known = new Set(rows.map(({ call_id }) => call_id));
      await this.#restoreLost(callIds.filter((callId) => !known.has(callId)));
    } catch (err) {
      this.log.warn({ err }, 'the ledger could not be asked about waiting calls');
    }
  }

  #tell(callId: string, outcome: ToolCallOutcome | undefined): void {
    for (const entry of this.#watched.get(callId) ?? []) {
      entry.missing = 0;
      if (outcome) entry.resolve(outcome);
    }
  }

  /**
   * A direct call is only a job while it waits. Where the queue's store lost it, it is enqueued again: twice seen as
   * neither row nor job, since a worker that has it writes its row a moment later. The fence keeps what is unsafe
   * from running twice.
   */
  async #restoreLost(callIds: string[]): Promise<void> {
    for (const entry of callIds.flatMap((callId) => [...(this.#watched.get(callId) ?? [])])) {
      if (!entry.direct) continue;
      const { call, job } = entry.direct;
      const queue = toolCallQueue(call.lane);
      const jobs = await this.queue.exists(queue, jobIdsOf(call.callId));
      entry.missing = jobs.size > 0 ? 0 : entry.missing + 1;
      if (entry.missing < 2 || call.deadlineAt <= Date.now()) continue;
      this.log.warn({ callId: call.callId }, 'the queue lost a waiting call; it is enqueued again');
      await this.queue.enqueue(queue, job, { jobId: call.callId, replyTo: this.queue.replyTo });
      entry.missing = 0;
    }
  }
}

function jobIdsOf(callId: string): string[] {
  return [callId, ...Array.from({ length: roundsLookedFor }, (_, round) => `${callId}-r${round + 1}`)];
}
