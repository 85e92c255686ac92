type Waiting<T, R> = { item: T; resolve: (result: R) => void; reject: (error: unknown) => void };

/**
 * Gathers single writes into group writes: while one statement is under way, all that arrive wait and go together in
 * the next. There is no timer, so a lone write waits for nothing, and under load one commit pays for many calls.
 *
 * When a group fails, its members are tried one by one, so that one bad row cannot take others with it.
 */
export class GroupWriter<T, R> {
  private waiting: Waiting<T, R>[] = [];
  private busy = false;

  constructor(
    private readonly writeGroup: (items: T[]) => Promise<R[]>,
    private readonly maxGroup = 200,
  ) {}

  /** Resolves once the item is durable. Rejects with the store's error. */
  write(item: T): Promise<R> {
    const written = new Promise<R>((resolve, reject) => this.waiting.push({ item, resolve, reject }));
    void this.pump();
    return written;
  }

  private async pump(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    while (this.waiting.length > 0) {
      await this.writeNow(this.waiting.splice(0, this.maxGroup));
    }
    this.busy = false;
  }

  private async writeNow(group: Waiting<T, R>[]): Promise<void> {
    try {
      const results = await this.writeGroup(group.map(({ item }) => item));
      group.forEach(({ resolve }, i) => resolve(results[i] as R));
    } catch (error) {
      if (group.length === 1) return group[0]?.reject(error);
      for (const one of group) await this.writeNow([one]);
    }
  }
}
