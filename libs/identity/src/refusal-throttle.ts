type Bucket = { windowEndsAt: number; inWindow: number; untold: number };

/**
 * Whoever guesses must not fill the audit log: of a flood of refusals the first few of each window are told one by one, and
 * the next that is told says how many were not. Each key has a bucket of its own, or a flood that is meant for one
 * organization would silence the refusals of all others.
 */
export class RefusalThrottle {
  private readonly buckets = new Map<string, Bucket>();
  private readonly nobodys = newBucket();

  constructor(
    private readonly most = 20,
    private readonly windowMs = 10_000,
    private readonly keptKeys = 1_000,
  ) {}

  /** `key`: whom it is about; null: nobody knows. How many were left untold before this one; null: this one is not told either. */
  next(key: string | null, now = Date.now()): number | null {
    const bucket = key === null ? this.nobodys : this.bucketOf(key);
    if (now >= bucket.windowEndsAt) {
      bucket.windowEndsAt = now + this.windowMs;
      bucket.inWindow = 0;
    }
    if (++bucket.inWindow > this.most) {
      bucket.untold++;
      return null;
    }
    const { untold } = bucket;
    bucket.untold = 0;
    return untold;
  }

  /** What was used last goes to the end: the one dropped is never that of a flood under way. */
  private bucketOf(key: string): Bucket {
    const bucket = this.buckets.get(key) ?? newBucket();
    this.buckets.delete(key);
    this.buckets.set(key, bucket);
    const [oldest] = this.buckets.keys();
    if (this.buckets.size > this.keptKeys && oldest !== undefined) this.buckets.delete(oldest);
    return bucket;
  }
}

function newBucket(): Bucket {
  return { windowEndsAt: 0, inWindow: 0, untold: 0 };
}
