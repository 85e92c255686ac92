type Entry<T> = { readonly value: T; readonly bytes: number; readonly holder: string };
type Held = { bytes: number; readonly ids: Set<string> };
export type MemoryLimits = {
  readonly sessions: number;
  readonly bytes: number;
  readonly bytesOfHolder: number;
};

/**
 * What is remembered of sessions, by their ids, in so many bytes. A key or user whose sessions take too many loses its own that
 * were longest asked for; only where all together are too many does anybody lose for another.
 */
export class SessionMemory<T> {
  /** Both, oldest use first. */
  readonly #entries = new Map<string, Entry<T>>();
  readonly #held = new Map<string, Held>();
  #bytes = 0;

  constructor(private readonly limits: MemoryLimits) {}

  get(id: string): T | undefined {
    const entry = this.#entries.get(id);
    if (!entry) return undefined;
    this.#remove(id);
    this.#add(id, entry);
    return entry.value;
  }

  /** `bytes`: of all that the value holds. */
  set(id: string, value: T, { holder, bytes }: Omit<Entry<T>, 'value'>): void {
    this.#remove(id);
    this.#add(id, { value, bytes, holder });
    const held = this.#held.get(holder);
    while (held && held.bytes > this.limits.bytesOfHolder) this.#removeFirst(held.ids);
    while (this.#bytes > this.limits.bytes || this.#entries.size > this.limits.sessions)
      this.#removeFirst(this.#entries.keys());
  }

  #add(id: string, entry: Entry<T>): void {
    const held = this.#held.get(entry.holder) ?? { bytes: 0, ids: new Set() };
    this.#held.set(entry.holder, held);
    held.ids.add(id);
    held.bytes += entry.bytes;
    this.#bytes += entry.bytes;
    this.#entries.set(id, entry);
  }

  #removeFirst(ids: Iterable<string>): void {
    for (const id of ids) return this.#remove(id);
  }

  #remove(id: string): void {
    const entry = this.#entries.get(id);
    const held = entry && this.#held.get(entry.holder);
    if (!entry || !held) return;
    this.#entries.delete(id);
    this.#bytes -= entry.bytes;
    held.bytes -= entry.bytes;
    held.ids.delete(id);
    if (held.ids.size === 0) this.#held.delete(entry.holder);
  }
}
