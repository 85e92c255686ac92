/** Calls `fn` once when `poke` has been quiet for `quietMs`, at the latest `mostMs` after the first. */
export class Debounce {
  #timer: NodeJS.Timeout | undefined;
  #firstAt: number | null = null;

  constructor(
    private readonly fn: () => void,
    private readonly times: { readonly quietMs: number; readonly mostMs: number },
  ) {}

  /** `quietMs` in place of the usual one, for this time. */
  poke(quietMs = this.times.quietMs): void {
    const now = Date.now();
    this.#firstAt ??= now;
    clearTimeout(this.#timer);
    const delayMs = Math.max(0, Math.min(quietMs, this.#firstAt + this.times.mostMs - now));
    this.#timer = setTimeout(() => this.#fire(), delayMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#firstAt = null;
  }

  #fire(): void {
    this.#firstAt = null;
    this.fn();
  }
}
