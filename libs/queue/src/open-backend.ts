import pg from 'pg';
import type { BusLink } from './bus/bus-link.js';
import type { QueueStore } from './jobs/queue-store.js';
import { type NextTime, repeatStrategy } from './jobs/scheduler-rule.js';
import { isPostgresUrl } from './migrate-queue-store.js';
import { PostgresBusLink } from './postgres/postgres-bus-link.js';
import { PostgresListener } from './postgres/postgres-listener.js';
import { PostgresQueueStore } from './postgres/postgres-queue-store.js';
import { RedisBusLink } from './redis/redis-bus-link.js';
import { RedisQueueStore } from './redis/redis-queue-store.js';

type Options = {
  url: string;
  service: string;
  prefix?: string;
  nextTime?: NextTime;
  report: (error: unknown) => void;
};

/** Store and bus behind `QUEUE_URL`: the one place that knows which backend it is. */
export function openBackend(options: Options): { store: QueueStore; link: BusLink } {
  return isPostgresUrl(options.url) ? openPostgres(options) : openRedis(options);
}

function openRedis({ url, service, prefix = 'switchyard', nextTime, report }: Options) {
  const name = `switchyard-${service}`;
  return {
    store: new RedisQueueStore({
      url,
      prefix,
      name,
      repeatStrategy: repeatStrategy(nextTime, report),
      report,
    }),
    link: new RedisBusLink({ url, prefix, name }),
  };
}

/**
 * Connections per process: one that listens, up to two for the bus, up to eight for the queues. Commits on the last
 * two do not wait for the disk: what a crash of PostgreSQL forgets here, the ledger remembers.
 */
function openPostgres({ url, service, prefix = '', nextTime, report }: Options) {
  const connection = {
    connectionString: url,
    application_name: `switchyard-${service}-queue`,
    connectionTimeoutMillis: 2_000,
    keepAlive: true,
  };
  const quick = '-c synchronous_commit=off';
  const pool = openPool(
    { ...connection, max: 8, query_timeout: 10_000, options: `-c search_path=bullmq ${quick}` },
    report,
  );
  const busPool = openPool({ ...connection, max: 2, query_timeout: 5_000, options: quick }, report);
  const listener = new PostgresListener(connection);
  return {
    store: new PostgresQueueStore({
      pool,
      listener,
      prefix,
      repeatStrategy: repeatStrategy(nextTime, report),
      report,
    }),
    link: new PostgresBusLink({ listener, pool: busPool, prefix }),
  };
}

function openPool(config: pg.PoolConfig, report: (error: unknown) => void): pg.Pool {
  const pool = new pg.Pool(config);
  pool.on('error', report);
  return pool;
}
