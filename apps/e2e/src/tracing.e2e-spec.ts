import { afterAll, beforeAll, describe, jest } from '@jest/globals';
import { privateRedis, type TestDatabase, testDatabase } from '@switchyard/testing';
import { Switchyard } from './harness/switchyard.js';
import { exposesMetrics } from './tracing/exposes-metrics.js';
import { followsCalls } from './tracing/follows-calls.js';
import { startTraceCollector, type TraceCollector } from './tracing/trace-collector.js';
import { tellsReadiness } from './tracing/tells-readiness.js';

jest.setTimeout(60_000);

const quick = {
  CATALOG_SYNC_HEALTH_INTERVAL_MS: '500',
  CATALOG_SYNC_HEALTH_FAILURES: '2',
  DISPATCH_BACKGROUND_CONCURRENCY: '1',
};

describe.each(['redis', 'postgres'] as const)('what operators see (queue on %s)', (kind) => {
  let database: TestDatabase | undefined;
  let redis: Awaited<ReturnType<typeof privateRedis>> | undefined;
  let collector: TraceCollector | undefined;
  let switchyard: Switchyard | undefined;

  beforeAll(async () => {
    database = await testDatabase({ migrated: false });
    redis = kind === 'redis' ? await privateRedis() : undefined;
    collector = await startTraceCollector();
    switchyard = await Switchyard.start({
      env: { ...quick, DATABASE_URL: database.adminUrl, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
      queueUrl: redis?.url,
    });
  }, 120_000);
  afterAll(async () => {
    await switchyard?.stop();
    await collector?.close();
    await redis?.stop();
    await database?.close();
  }, 60_000);

  const running = (): Switchyard => switchyard ?? fail();
  followsCalls(running, () => collector ?? fail());
  exposesMetrics(running);
  tellsReadiness(running, {
    kind,
    adminUrl: () => database?.adminUrl ?? fail(),
    killQueueStore: async () => redis?.kill(),
    restartQueueStore: async () => {
      if (redis) redis = await privateRedis({ port: redis.port });
    },
  });
});

function fail(): never {
  throw new Error('it is there only inside tests and hooks');
}
