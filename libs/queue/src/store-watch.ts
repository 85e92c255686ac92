import type { Bus } from './bus/bus.js';
import type { QueueStore } from './jobs/queue-store.js';

const lookEveryMs = 5_000;

/**
 * Notices that messages or jobs may be missing: the bus was away, or the store has another mark than before, which
 * means that it lost its data. The mark is read after each reconnect and every five seconds.
 */
export class StoreWatch {
  readonly #store: QueueStore;
  readonly #bus: Bus;
  readonly #report: (error: unknown) => void;
  readonly #listeners = new Set<() => void>();
  #mark: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopListening = () => {};

  constructor(store: QueueStore, bus: Bus, report: (error: unknown) => void) {
    this.#store = store;
    this.#bus = bus;
    this.#report = report;
  }

  onReconnect(fn: () => void): void {
    this.#listeners.add(fn);
  }

  /** From now on every connect of the bus counts as a reconnect. */
  async start(): Promise<void> {
    this.#stopListening = this.#bus.onUp(() => {
      this.#tell();
      void this.#look();
    });
    this.#timer = setInterval(() => void this.#look(), lookEveryMs).unref();
    await this.#look();
  }

  stop(): void {
    this.#stopListening();
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (!(await this.#store.reachable(0))) return;
    try {
      const mark = await this.#store.incarnation();
      const lost = this.#mark !== undefined && this.#mark !== mark;
      this.#mark = mark;
      if (lost) this.#tell();
    } catch (error) {
      this.#report(error);
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) {
      try {
        listener();
      } catch (error) {
        this.#report(error);
      }
    }
  }
}
