/** Counts the time in which a call is with its upstream, and not with a person. Runs from the start. */
export class ActiveClock {
  #leftMs: number;
  #startedAt = Date.now();
  #timer: NodeJS.Timeout | undefined;
  readonly #ends: (() => void)[] = [];

  constructor(
    limitMs: number,
    private readonly onOver: () => void,
  ) {
    this.#leftMs = limitMs;
    this.#start();
  }

  /** Goes on counting, or stands still. */
  run(isRunning: boolean): void {
    if (isRunning === (this.#timer !== undefined)) return;
    if (isRunning) return this.#start();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#leftMs -= Date.now() - this.#startedAt;
  }

  /** Calls `fn` with `stop`. */
  onStop(fn: () => void): void {
    this.#ends.push(fn);
  }

  stop(): void {
    clearTimeout(this.#timer);
    for (const end of this.#ends.splice(0)) end();
  }

  #start(): void {
    this.#startedAt = Date.now();
    this.#timer = setTimeout(this.onOver, Math.max(0, this.#leftMs));
  }
}
