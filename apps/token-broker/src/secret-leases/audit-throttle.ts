const mostKept = 10_000;

type Kept = { readonly since: number; readonly unsaid: number };

/**
 * What happens again and again is said once per interval, with how often it happened since it was last said. What is forgotten
 * for want of room is said once more.
 */
export class AuditThrottle {
  readonly #kept = new Map<string, Kept>();

  constructor(private readonly intervalMs: number) {}

  /** How often it happened, this time included, if it is to be said now. */
  count(what: string, now: number): number | undefined {
    const kept = this.#kept.get(what);
    const times = (kept?.unsaid ?? 0) + 1;
    if (kept && now - kept.since < this.intervalMs) {
      this.#kept.set(what, { ...kept, unsaid: times });
      return undefined;
    }
    this.#keep(what, now);
    return times;
  }

  /** What could not be said is to be said the next time. */
  unsay(what: string): void {
    this.#kept.delete(what);
  }

  #keep(what: string, since: number): void {
    this.#kept.delete(what);
    this.#kept.set(what, { since, unsaid: 0 });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > mostKept && oldest !== undefined) this.#kept.delete(oldest);
  }
}
