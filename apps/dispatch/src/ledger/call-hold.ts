import type { KnownCall } from './ledger.repository.js';
import type { LedgerService } from './ledger.service.js';

/** For so long after a look nobody else can have the call: the lock of its job lasts three times as long. */
const sureForMs = 2_000;

type Parts = {
  readonly ledger: Pick<LedgerService, 'find'>;
  readonly now: () => number;
  /** The job's: aborts when its lock is known to be lost. */
  readonly signal: AbortSignal;
};

/**
 * One taking of a call's job. A process that stands still for longer than the job's lock lasts goes on without knowing that
 * another has taken the job meanwhile; what that other would notice is done only while the hold stands.
 */
export class CallHold {
  #isFenced = false;
  #sureAt: number;

  readonly id: string;
  /** The running row that this taking found, of one before it whose worker is gone. */
  readonly lost: KnownCall | undefined;

  constructor(
    private readonly parts: Parts,
    private readonly call: { callId: string; id: string; lost?: KnownCall },
  ) {
    this.#sureAt = parts.now();
    this.id = call.id;
    this.lost = call.lost;
  }

  get isFenced(): boolean {
    return this.#isFenced;
  }

  /** The row says that it is this one's. */
  fenced(): void {
    this.#isFenced = true;
    this.#sureAt = this.parts.now();
  }

  /** Rejects where the ledger cannot say. */
  async stands(): Promise<boolean> {
    const { now, signal, ledger } = this.parts;
    if (!signal.aborted && now() - this.#sureAt < sureForMs) return true;
    const row = await ledger.find(this.call.callId);
    const isRunning = row?.status === 'running';
    const stands = isRunning ? row.holder === this.id : !this.#isFenced;
    if (stands) this.#sureAt = now();
    return stands;
  }
}
