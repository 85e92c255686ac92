import type { Lane } from '@switchyard/contracts';

/** How many of this process's slots one organization may have, so that none keeps the others waiting. */
export class FairShares {
  readonly #taken = new Map<string, number>();

  constructor(
    private readonly slots: Readonly<Record<Lane, number>>,
    private readonly percent: number,
  ) {}

  isUsedUp(lane: Lane, orgId: string): boolean {
    return (this.#taken.get(keyOf(lane, orgId)) ?? 0) >= this.#share(lane);
  }

  /** Counts a slot until the returned function is called. */
  take(lane: Lane, orgId: string): () => void {
    const key = keyOf(lane, orgId);
    this.#taken.set(key, (this.#taken.get(key) ?? 0) + 1);
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

function keyOf(lane: Lane, orgId: string): string {
  return `${lane} ${orgId}`;
}
