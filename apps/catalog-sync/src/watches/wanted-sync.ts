import { Debounce } from './debounce.js';

/** What says whether a sync was made since it was asked for. */
export type SyncFacts = { readonly failedSyncs: number; readonly lastSyncAt: Date | null };

const changeDelay = { quietMs: 50, mostMs: 1_000 };
const againMs = 1_000;
/** After that long a sync that was asked for and did not happen was lost on its way. */
const lostAfterMs = 15_000;

/** Turns an upstream's notices of changed tools into one sync, and sees to it that it happens. */
export class WantedSync {
  readonly #notices = new Debounce(() => void this.#ask(), changeDelay);
  #asked: { readonly at: number; readonly lastSyncAt: Date | null } | null = null;

  /** `ask` enqueues the sync, and rejects while the queue is away. */
  constructor(
    private readonly ask: () => Promise<void>,
    private readonly facts: () => SyncFacts,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** The tools may have changed. */
  notice(): void {
    this.#notices.poke();
  }

  /**
   * Asks again for what was lost: a store that loses its data, or a worker that dies, takes the job with it. A sync
   * that was made and failed is planned again anyway. To be called with every look at the tables.
   */
  remind(): void {
    if (!this.#asked) return;
    const { failedSyncs, lastSyncAt } = this.facts();
    const isDone = failedSyncs > 0 || lastSyncAt?.getTime() !== this.#asked.lastSyncAt?.getTime();
    if (isDone) this.#asked = null;
    else if (this.#asked.at + lostAfterMs < Date.now()) this.notice();
  }

  stop(): void {
    this.#notices.stop();
    this.#asked = null;
  }

  async #ask(): Promise<void> {
    this.#asked = { at: Date.now(), lastSyncAt: this.facts().lastSyncAt };
    await this.ask().catch((error: unknown) => {
      this.onError(error);
      if (this.#asked) this.#notices.poke(againMs);
    });
  }
}
