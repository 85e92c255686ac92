import { Injectable } from '@nestjs/common';
import { rateLimitOf, SnapshotStore } from '@switchyard/access';
import { type CallerContext, type ErrorInfo, PlatformError } from '@switchyard/contracts';
import { FleetLimits } from '@switchyard/queue';

/** How many calls a virtual key, or a user, may make: counted over the fleet, whatever face they come to. */
@Injectable()
export class RateLimits {
  constructor(
    private readonly snapshots: SnapshotStore,
    private readonly limits: FleetLimits,
  ) {}

  /** Counts one call of the caller; gives `rate_limited` if it is one too many. */
  async take(caller: CallerContext): Promise<ErrorInfo | undefined> {
    const limit = rateLimitOf(this.snapshots.current(), caller);
    if (!limit) return undefined;
    const taken = await this.limits.take(limit.key, limit);
    if (!taken.isOver) return undefined;
    const details = { limit: limit.limit, interval_ms: limit.intervalMs };
    return new PlatformError('rate_limited', { details, retryAfterMs: taken.retryAfterMs }).toInfo();
  }
}
