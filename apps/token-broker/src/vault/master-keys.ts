import { MasterKey } from './master-key.js';

/** The present master key, which wraps, and former ones, which still unwrap until everything is wrapped anew. */
export class MasterKeys {
  readonly #byId: ReadonlyMap<string, MasterKey>;

  constructor(
    readonly present: MasterKey,
    former: readonly MasterKey[] = [],
  ) {
    this.#byId = new Map([...former, present].map((key) => [key.id, key]));
  }

  /** Throws for a text that is no master key. */
  static parse(present: string, former: readonly string[] = []): MasterKeys {
    return new MasterKeys(MasterKey.parse(present), former.map(MasterKey.parse));
  }

  find(id: string): MasterKey | undefined {
    return this.#byId.get(id);
  }
}
