/** Lets so many at once do something for one key; the others wait for their turn, in order. */
export class Slots {
  readonly #busy = new Map<string, { running: number; waiting: (() => void)[] }>();

  constructor(private readonly limit: number) {}

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const slots = this.#busy.get(key) ?? { running: 0, waiting: [] };
    this.#busy.set(key, slots);
    if (slots.running >= this.limit) await new Promise<void>((next) => slots.waiting.push(next));
    else slots.running++;
    try {
      return await work();
    } finally {
      const next = slots.waiting.shift();
      if (next) next();
      else if (--slots.running === 0) this.#busy.delete(key);
    }
  }
}
