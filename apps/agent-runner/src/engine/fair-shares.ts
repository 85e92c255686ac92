import type { Lane } from '@switchyard/contracts';

/** How many of this process's slots one organization may have, so that none keeps the others waiting. */
export class FairShares {
  readonly #taken = new Map<string, number>();

  constructor(
    private readonly slots: Readonly<Record<Lane, number>>,
    private readonly percent: number,
  ) {}

  /** Counts a slot until the returned function is called; undefined where the organization has its share already. */
  take(lane: Lane, orgId: string): (() => void) | undefined {
    const key = `${lane} ${orgId}`;
    const taken = this.#taken.get(key) ?? 0;
    if (taken >= this.#share(lane)) return undefined;
    this.#taken.set(key, taken + 1);
    return () => this.#giveBack(key);
  }

  #share(lane: Lane): number {
    return Math.max(1, Math.floor((this.slots[lane] * this.percent) / 100));
  }

  #giveBack(key: string): void {
    const left = (this.#taken.get(key) ?? 0) - 1;
    if (left > 0) this.#taken.set(key, left);
    else this.#taken.delete(key);
  }
}
