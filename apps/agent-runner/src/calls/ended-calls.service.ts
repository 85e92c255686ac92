import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type ToolCallOutcome, topics } from '@switchyard/contracts';
import { findLedgerCalls, ledgerOutcome, Sql } from '@switchyard/database';
import { QueueClient } from '@switchyard/queue';
import { Log, Shutdown } from '@switchyard/service-kit';

const pollMs = 1_000;

/**
 * How calls of runs end: their ledger rows say so, whoever made the call and whatever became of the answer on the bus.
 * The bus tells when to look; a look each second makes up for what it lost.
 */
@Injectable()
export class EndedCalls implements OnModuleInit {
  /** Several for one call where this process lost a run's claim and took it again. */
  readonly #watched = new Map<string, Set<(outcome: ToolCallOutcome) => void>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly queue: QueueClient,
    private readonly sql: Sql,
    private readonly log: Log,
    private readonly shutdown: Shutdown,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.queue.subscribe(topics.toolCallEnded, ({ callId }) => {
      if (this.#watched.has(callId)) return this.#look([callId]);
    });
    this.queue.onReconnect(() => void this.#look([...this.#watched.keys()]));
    this.#timer = setInterval(() => void this.#look([...this.#watched.keys()]), pollMs);
    this.shutdown.onClose(() => clearInterval(this.#timer));
  }

  /** Resolves with the end of the call. Call `stop` in any case. */
  watch(callId: string): { readonly ended: Promise<ToolCallOutcome>; readonly stop: () => void } {
    const { promise: ended, resolve } = Promise.withResolvers<ToolCallOutcome>();
    const watchers = this.#watched.get(callId) ?? new Set();
    this.#watched.set(callId, watchers.add(resolve));
    return { ended, stop: () => this.#forget(callId, resolve) };
  }

  #forget(callId: string, resolve: (outcome: ToolCallOutcome) => void): void {
    const watchers = this.#watched.get(callId);
    watchers?.delete(resolve);
    if (watchers?.size === 0) this.#watched.delete(callId);
  }

  async #look(callIds: string[]): Promise<void> {
    if (callIds.length === 0) return;
    try {
      for (const row of await findLedgerCalls(this.sql, callIds)) {
        const outcome = ledgerOutcome(row);
        if (outcome) this.#watched.get(row.call_id)?.forEach((resolve) => resolve(outcome));
      }
    } catch (err) {
      this.log.warn({ err }, 'the ledger could not be asked about calls of runs');
    }
  }
}
