import type { ToolCallJob } from '@switchyard/contracts';
import { setTimeout as delay } from 'node:timers/promises';
import { GroupWriter } from './group-writer.js';
import type { LedgerRow } from './ledger-row.js';
import { LedgerRepository, type KnownCall } from './ledger.repository.js';

/** While the database is away for up to about a minute, a worker keeps the ends of its calls and tries again. */
const endAttempts = 18;

/** A call's life in the ledger, as a worker writes it. */
export class LedgerService {
  private readonly fences: GroupWriter<LedgerRow, boolean>;
  private readonly ends: GroupWriter<LedgerRow, undefined>;

  /** `announceEnd` tells faces that wait for a ledger-first call. */
  constructor(
    private readonly repository: LedgerRepository,
    private readonly announceEnd: (callId: string) => void,
  ) {
    this.fences = new GroupWriter(async (rows) => {
      const inserted = await repository.insertRunning(rows);
      // Deleting as we go: were one call twice in a group, only its first taker may send.
      return rows.map((row) => inserted.delete(String(row.call_id)));
    });
    this.ends = new GroupWriter(async (rows) => {
      await repository.end(rows);
      return rows.map(() => undefined);
    });
  }

  /**
   * Commits `running` before anything is sent. Resolves with true when this worker may send, with the row that
   * stands in the way when it may not.
   */
  async fence(row: LedgerRow): Promise<true | KnownCall> {
    if (!row.ledger_first && row.round === 0 && (await this.fences.write(row))) return true;
    if (await this.repository.moveToRunning(row)) return true;
    const known = await this.repository.find(String(row.call_id));
    // Since we looked, the sweeper may have given it back to its queue: then nothing stands in the way any more.
    if (known && known.status !== 'accepted' && known.status !== 'queued') return known;
    if (!known && (await this.fences.write(row))) return true;
    return this.fence(row);
  }

  /** A running call whose former worker was lost becomes this taking's. False where somebody was faster. */
  async adopt(row: LedgerRow, before: KnownCall): Promise<boolean> {
    return this.repository.adopt(row, before.holder);
  }

  /** Resolves once the call's end is durable. A row that the store refuses is written again without its bodies. */
  async end(row: LedgerRow): Promise<void> {
    for (let waitMs = 100, left = endAttempts; ; waitMs = Math.min(waitMs * 2, 5_000)) {
      try {
        await this.ends.write(row);
        break;
      } catch (error) {
        if (isDataError(error)) row = { ...row, arguments: null, result: null, error_details: null };
        else await delay(waitMs);
        if (--left === 0) throw error;
      }
    }
    if (row.ledger_first) this.announceEnd(String(row.call_id));
  }

  /** The call goes back to its queue as job `<call id>-r<round>`. False where it is not this taking's to give back. */
  async backToQueue(row: LedgerRow, job: ToolCallJob, delayMs: number): Promise<boolean> {
    return this.repository.moveToQueued(row, job, delayMs + 20_000);
  }

  find(callId: string): Promise<KnownCall | undefined> {
    return this.repository.find(callId);
  }
}

/** PostgreSQL class 22: the values are wrong, a retry changes nothing. */
function isDataError(error: unknown): boolean {
  const { driverError } = error as { driverError?: { code?: string } };
  return String(driverError?.code).startsWith('22');
}
