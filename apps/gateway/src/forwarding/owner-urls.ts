/** How long a URL is passed over after its connection failed. */
const passOverMs = 5_000;

/** The URLs of one owner's replicas, in turn. One whose connection failed is passed over for a while if another is there. */
export class OwnerUrls {
  readonly #urls: readonly string[];
  readonly #now: () => number;
  readonly #failedAt = new Map<string, number>();
  #turn = 0;

  constructor(urls: readonly string[], now: () => number = () => performance.now()) {
    if (urls.length === 0) throw new Error('an owner needs a URL');
    this.#urls = urls;
    this.#now = now;
  }

  /** The URL of the next request. */
  next(): string {
    const start = this.#turn;
    const inTurn = this.#urls.map((_, step) => (start + step) % this.#urls.length);
    // With all of them away, any may be the first to come back.
    const index = inTurn.find((one) => !this.#isPassedOver(this.#urls[one]!)) ?? start;
    this.#turn = (index + 1) % this.#urls.length;
    return this.#urls[index]!;
  }

  /** No connection to `url` came about, or it was reset. */
  failed(url: string): void {
    this.#failedAt.set(url, this.#now());
  }

  #isPassedOver(url: string): boolean {
    const failedAt = this.#failedAt.get(url);
    return failedAt !== undefined && this.#now() - failedAt < passOverMs;
  }
}
