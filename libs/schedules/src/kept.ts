/** What was made for the keys that were asked for last, so many of them: anybody may think of one more key. */
export class Kept<V> {
  readonly #entries = new Map<string, V>();

  constructor(private readonly most: number) {}

  /** Made when it is not there. What throws is not kept. */
  of(key: string, make: () => V): V {
    const value = this.#entries.get(key) ?? make();
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > this.most) this.#forgetOldest();
    return value;
  }

  get size(): number {
    return this.#entries.size;
  }

  #forgetOldest(): void {
    for (const key of this.#entries.keys()) return void this.#entries.delete(key);
  }
}
