import { Redis } from 'ioredis';
import { RateLimiterPostgres, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { isPostgresUrl } from '../migrate-queue-store.js';
import { promptConnection } from '../redis/redis-options.js';
import { throttledReport } from '../throttled-report.js';
import { withinLimit } from '../timing.js';

/** So many within any interval that begins with the first of them. */
export type Limit = { readonly limit: number; readonly intervalMs: number };

export type Taken = { readonly isOver: false } | { readonly isOver: true; readonly retryAfterMs: number };

export type FleetLimitsOptions = {
  /** `QUEUE_URL`: counted in Redis, if it is one. */
  readonly url: string;
  readonly service: string;
  readonly prefix?: string;
  /** Counted here where the queue is not in Redis: a table `(key, points, expire)` of the service's own. */
  readonly table: {
    readonly schema: string;
    readonly name: string;
    query(statement: string, parameters: unknown[]): Promise<unknown[]>;
  };
  readonly onError: (error: unknown) => void;
};

type Limiter = RateLimiterRedis | RateLimiterPostgres;

/** Longer than this nobody waits for a count. */
const patienceMs = 1_000;
/** Limits are few, since admins set them: each has a limiter of its own. */
const mostLimiters = 500;

/**
 * Limits that the whole fleet shares. They keep load off, and nobody out: what cannot be counted passes. A key that
 * is over its limit is known here until its interval ends, so a flood costs the store nothing more.
 */
export class FleetLimits {
  readonly #limiters = new Map<string, Limiter>();
  readonly #redis: Redis | undefined;
  readonly #report: (error: unknown) => void;

  constructor(private readonly options: FleetLimitsOptions) {
    this.#report = throttledReport(options.onError);
    if (isPostgresUrl(options.url)) return;
    this.#redis = new Redis(options.url, promptConnection(`switchyard-${options.service}-limits`));
    this.#redis.on('error', (error) => this.#report(error));
  }

  /** Counts one for the key. */
  async take(key: string, limit: Limit): Promise<Taken> {
    try {
      await withinLimit(this.#limiterOf(limit).consume(key), patienceMs, () => new Error('no count in time'));
      return { isOver: false };
    } catch (thrown) {
      if (thrown instanceof RateLimiterRes)
        return { isOver: true, retryAfterMs: Math.max(1, thrown.msBeforeNext) };
      this.#report(thrown);
      return { isOver: false };
    }
  }

  close(): void {
    this.#redis?.disconnect();
  }

  /** Under a limit that an admin changed, counting starts anew. */
  #limiterOf({ limit, intervalMs }: Limit): Limiter {
    const seconds = Math.max(1, Math.ceil(intervalMs / 1_000));
    const name = `${limit}/${seconds}`;
    const known = this.#limiters.get(name);
    if (known) return known;
    const [oldest] = this.#limiters.keys();
    if (this.#limiters.size >= mostLimiters && oldest !== undefined) this.#limiters.delete(oldest);
    const made = this.#make({ points: limit, duration: seconds, keyPrefix: `${this.#prefix}${name}` });
    this.#limiters.set(name, made);
    return made;
  }

  get #prefix(): string {
    return `${this.options.prefix ?? 'switchyard'}:limit:`;
  }

  #make(settings: { points: number; duration: number; keyPrefix: string }): Limiter {
    const shared = { ...settings, inMemoryBlockOnConsumed: settings.points + 1 };
    if (this.#redis)
      return new RateLimiterRedis({ ...shared, storeClient: this.#redis, rejectIfRedisNotReady: true });
    const { schema, name, query } = this.options.table;
    return new RateLimiterPostgres({
      ...shared,
      storeClient: {
        query: async ({ text, values }: { text: string; values: unknown[] }) => ({
          rows: await query(text, values),
        }),
      },
      ...{ storeType: 'client', schemaName: schema, tableName: name, tableCreated: true },
      // One of them clears the table for all.
      clearExpiredByTimeout: this.#limiters.size === 0,
    });
  }
}
