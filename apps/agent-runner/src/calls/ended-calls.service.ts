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
  /** Ended, and being read. Results may be large: each is read once. */
  readonly #reading = new Set<string>();
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
    const unread = callIds.filter((callId) => !this.#reading.has(callId));
    if (unread.length === 0) return;
    try {
      for (const callId of await this.#ended(unread)) await this.#read(callId);
    } catch (err) {
      this.log.warn({ err }, 'the ledger could not be asked about calls of runs');
    }
  }

  /** Without their results: most looks find nothing new. */
  async #ended(callIds: string[]): Promise<string[]> {
    const rows = await this.sql.query<{ callId: string }>(
      `SELECT call_id AS "callId" FROM dispatch.v_calls WHERE call_id = ANY($1::uuid[]) AND ended_at IS NOT NULL`,
      [callIds],
    );
    return rows.map(({ callId }) => callId);
  }

  async #read(callId: string): Promise<void> {
    // Another look, or whoever watched, may have been quicker.
    if (this.#reading.has(callId) || !this.#watched.has(callId)) return;
    this.#reading.add(callId);
    try {
      const [row] = await findLedgerCalls(this.sql, [callId]);
      const outcome = row && ledgerOutcome(row);
      if (!outcome) return;
      this.#watched.get(callId)?.forEach((resolve) => resolve(outcome));
      this.#watched.delete(callId);
    } finally {
      this.#reading.delete(callId);
    }
  }
}
