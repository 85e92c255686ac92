import {
  booleanFlag,
  durationMs,
  portNumber,
  secret,
  type Secret,
  type ServiceConfig,
  serviceConfig,
  serviceEnv,
  wholeNumber,
} from '@switchyard/service-kit';
import { z } from 'zod';
import type { BackOffSettings } from './states/back-off.js';

export const catalogSyncEnv = z
  .object({
    ...serviceEnv,
    CATALOG_SYNC_OPS_PORT: portNumber()
      .default(0)
      .describe('Port of health, readiness and metrics; 0 is a free one.'),
    CATALOG_SYNC_DATABASE_URL: secret().describe('PostgreSQL as the catalog’s own role.'),
    SWITCHYARD_EGRESS_ALLOW_PRIVATE: booleanFlag()
      .default(false)
      .describe('Development only: upstreams on loopback and private addresses, and plain http to them.'),
    CATALOG_SYNC_CONCURRENCY: wholeNumber({ min: 1, max: 64 })
      .default(8)
      .describe('Syncs that one process runs at once.'),
    CATALOG_SYNC_CONNECT_TIMEOUT_MS: durationMs()
      .default(10_000)
      .describe('Limit for connecting to an upstream in a sync.'),
    CATALOG_SYNC_LIST_TIMEOUT_MS: durationMs().default(30_000).describe('Limit for all pages of a list.'),
    CATALOG_SYNC_MAX_TOOLS: wholeNumber({ min: 1, max: 100_000 })
      .default(20_000)
      .describe('A list with more tools never ends, as far as we are concerned.'),
    CATALOG_SYNC_HEALTH_INTERVAL_MS: durationMs()
      .default(10_000)
      .describe('Time between two checks of an upstream.'),
    CATALOG_SYNC_HEALTH_TIMEOUT_MS: durationMs().default(5_000).describe('Limit of one check.'),
    CATALOG_SYNC_HEALTH_FAILURES: wholeNumber({ min: 1, max: 100 })
      .default(5)
      .describe('Consecutive failed checks that disconnect an integration.'),
    CATALOG_SYNC_RECONNECT_BASE_MS: durationMs()
      .default(1_000)
      .describe('Delay of the first automatic reconnect; it doubles each time.'),
    CATALOG_SYNC_RECONNECT_CAP_MS: durationMs()
      .default(60_000)
      .describe('Longest delay between automatic reconnects.'),
    CATALOG_SYNC_PERMANENT_BASE_MS: durationMs()
      .default(60_000)
      .describe('The same after a failure that only a person can mend (401, egress policy).'),
    CATALOG_SYNC_PERMANENT_CAP_MS: durationMs()
      .default(1_800_000)
      .describe('Longest delay after such a failure.'),
    CATALOG_SYNC_WATCH_TICK_MS: durationMs()
      .default(1_000)
      .describe('How often a replica looks for due syncs and for integrations to watch.'),
    CATALOG_SYNC_WATCH_LEASE_MS: durationMs()
      .default(6_000)
      .describe('How long a replica that died keeps its integrations.'),
  })
  .refine((env) => env.SWITCHYARD_ENV === 'development' || !env.SWITCHYARD_EGRESS_ALLOW_PRIVATE, {
    path: ['SWITCHYARD_EGRESS_ALLOW_PRIVATE'],
    message: 'is for SWITCHYARD_ENV=development alone',
  })
  .refine((env) => env.CATALOG_SYNC_WATCH_LEASE_MS >= 3 * env.CATALOG_SYNC_WATCH_TICK_MS, {
    path: ['CATALOG_SYNC_WATCH_LEASE_MS'],
    message: 'must be at least three times CATALOG_SYNC_WATCH_TICK_MS',
  });

export type SyncSettings = {
  readonly concurrency: number;
  readonly connectTimeoutMs: number;
  readonly listTimeoutMs: number;
  readonly maxTools: number;
};
export type HealthSettings = {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly failureThreshold: number;
};
export type WatchSettings = { readonly tickMs: number; readonly leaseMs: number };

export type CatalogSyncConfig = {
  readonly service: ServiceConfig;
  readonly databaseUrl: Secret;
  readonly queueUrl: Secret;
  readonly sealKey: Secret;
  /** For tests that share a store. */
  readonly queuePrefix?: string;
  readonly egress: { readonly allowPrivate: boolean };
  readonly sync: SyncSettings;
  readonly health: HealthSettings;
  readonly backOff: BackOffSettings;
  readonly watch: WatchSettings;
};

export function toCatalogSyncConfig(env: z.output<typeof catalogSyncEnv>): CatalogSyncConfig {
  return {
    service: serviceConfig('catalog-sync', env, { opsPort: env.CATALOG_SYNC_OPS_PORT }),
    databaseUrl: env.CATALOG_SYNC_DATABASE_URL,
    queueUrl: env.QUEUE_URL,
    sealKey: env.SWITCHYARD_SEAL_KEY,
    egress: { allowPrivate: env.SWITCHYARD_EGRESS_ALLOW_PRIVATE },
    sync: {
      concurrency: env.CATALOG_SYNC_CONCURRENCY,
      connectTimeoutMs: env.CATALOG_SYNC_CONNECT_TIMEOUT_MS,
      listTimeoutMs: env.CATALOG_SYNC_LIST_TIMEOUT_MS,
      maxTools: env.CATALOG_SYNC_MAX_TOOLS,
    },
    health: {
      intervalMs: env.CATALOG_SYNC_HEALTH_INTERVAL_MS,
      timeoutMs: env.CATALOG_SYNC_HEALTH_TIMEOUT_MS,
      failureThreshold: env.CATALOG_SYNC_HEALTH_FAILURES,
    },
    backOff: {
      baseMs: env.CATALOG_SYNC_RECONNECT_BASE_MS,
      capMs: env.CATALOG_SYNC_RECONNECT_CAP_MS,
      permanentBaseMs: env.CATALOG_SYNC_PERMANENT_BASE_MS,
      permanentCapMs: env.CATALOG_SYNC_PERMANENT_CAP_MS,
    },
    watch: { tickMs: env.CATALOG_SYNC_WATCH_TICK_MS, leaseMs: env.CATALOG_SYNC_WATCH_LEASE_MS },
  };
}
