import type { RedisOptions } from 'ioredis';
import { reconnectDelayMs } from '../timing.js';

/**
 * What all connections share. Autopipelining stays off: it raised the round trip from 1.0 to 1.6 ms
 * (`performance.md`). The socket timeout frees a connection that a failover left half open.
 */
const shared: RedisOptions = {
  enableAutoPipelining: false,
  retryStrategy: reconnectDelayMs,
  connectTimeout: 2_000,
  keepAlive: 10_000,
  socketTimeout: 5_000,
};

/** For commands that somebody waits for: nothing is queued while the connection is down, all ends soon. */
export function promptConnection(name: string): RedisOptions {
  return {
    ...shared,
    connectionName: name,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    commandTimeout: 2_500,
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  };
}

/** For workers: commands wait until the connection is back, as BullMQ demands. */
export function patientConnection(name: string): RedisOptions {
  return {
    ...shared,
    connectionName: name,
    maxRetriesPerRequest: null,
    reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 2 : false),
  };
}

/** For the connection that listens: it re-subscribes itself. */
export function subscriberConnection(name: string): RedisOptions {
  return { ...promptConnection(name), autoResubscribe: false };
}
