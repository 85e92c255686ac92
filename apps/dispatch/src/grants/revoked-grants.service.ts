/** A call may wait for a day; a grant that was revoked longer ago than this has none any more. */
const keptMs = 2 * 86_400_000;
/** A revocation is written a moment before it can be seen. */
const overlapMs = 30_000;
const lookMs = 1_000;

type Parts = {
  /** The grants that were revoked in the time before now. */
  readonly revokedSince: (ageMs: number) => Promise<string[]>;
  /** Hears of each grant once: its calls that run are to end. */
  readonly onRevoked: (grantId: string) => void;
  readonly onError: (err: unknown) => void;
  readonly now?: () => number;
};

/**
 * The OAuth grants of which no call may be sent any more. The bus tells of them at once; what it lost, and what happened
 * before this worker began, is looked for.
 */
export class RevokedGrants {
  private readonly forgetAt = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private lookedAt: number | undefined;
  private readonly now: () => number;

  constructor(private readonly parts: Parts) {
    this.now = parts.now ?? Date.now;
  }

  /** Knows all once resolved. Rejects, without looking again, if it could not find out. */
  async start(): Promise<void> {
    await this.look();
    this.timer = setInterval(() => void this.lookAgain(), lookMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }

  has(grantId: string): boolean {
    return this.forgetAt.has(grantId);
  }

  add(grantId: string): void {
    if (this.forgetAt.has(grantId)) return;
    this.forgetAt.set(grantId, this.now() + keptMs);
    this.parts.onRevoked(grantId);
  }

  /** What could not be looked for is, from where it stopped, the next time. */
  private async look(): Promise<void> {
    const at = this.now();
    const ageMs = this.lookedAt === undefined ? keptMs : Math.min(at - this.lookedAt + overlapMs, keptMs);
    for (const id of await this.parts.revokedSince(ageMs)) this.add(id);
    this.lookedAt = at;
    for (const [id, until] of this.forgetAt) {
      if (until > at) break;
      this.forgetAt.delete(id);
    }
  }

  /** Looks do not overlap. */
  private lookAgain(): Promise<void> {
    this.running ??= this.look()
      .catch(this.parts.onError)
      .finally(() => (this.running = undefined));
    return this.running;
  }
}
