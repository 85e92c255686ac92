/**
 * Whoever guesses must not fill the audit log: of a flood of refusals the first few of each window are told one by one, and
 * the next that is told says how many were not.
 */
export class RefusalThrottle {
  private windowEndsAt = 0;
  private inWindow = 0;
  private untold = 0;

  constructor(
    private readonly most = 20,
    private readonly windowMs = 10_000,
  ) {}

  /** How many were left untold before this one; null: this one is not told either. */
  next(now = Date.now()): number | null {
    if (now >= this.windowEndsAt) {
      this.windowEndsAt = now + this.windowMs;
      this.inWindow = 0;
    }
    if (++this.inWindow > this.most) {
      this.untold++;
      return null;
    }
    const { untold } = this;
    this.untold = 0;
    return untold;
  }
}
