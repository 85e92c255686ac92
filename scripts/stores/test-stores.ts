/**
 * The stores of a test run, started once: the given URLs, else containers where a Docker engine answers, else
 * programs of our own. Redis is never optional: a run without it would be green and prove nothing.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canEnter, findPostgres } from './postgres-binaries.ts';
import { type PostgresServer, startPostgres } from './postgres-server.ts';
import { redisDatabases, startRedis } from './redis-server.ts';

type Store = { url: string; stop(): Promise<void> };

export type TestStores = { env: Record<string, string>; stop(): Promise<void> };

/** Starts what no URL is given for. The answer's `env` tells the tests; `stop` ends what was started. */
export async function startTestStores(given: NodeJS.ProcessEnv = process.env): Promise<TestStores> {
  const docker = hasDocker();
  const started = await Promise.allSettled([
    given.TEST_DATABASE_URL ? alreadyThere(given.TEST_DATABASE_URL) : startDatabase(docker),
    given.TEST_REDIS_URL ? alreadyThere(given.TEST_REDIS_URL) : startQueueStore(docker),
  ]);
  const stores = started.flatMap((store) => (store.status === 'fulfilled' ? [store.value] : []));
  const stop = async (): Promise<void> => void (await Promise.all(stores.map((store) => store.stop())));
  const failed = started.find((store) => store.status === 'rejected');
  if (failed) {
    await stop();
    throw failed.reason;
  }
  const [database, redis] = stores as [Store, Store];
  const env: Record<string, string> = { TEST_DATABASE_URL: database.url, TEST_REDIS_URL: redis.url };
  if (!given.TEST_REDIS_URL) env.TEST_REDIS_DATABASES = String(redisDatabases);
  return { env, stop };
}

function alreadyThere(url: string): Promise<Store> {
  return Promise.resolve({ url, stop: () => Promise.resolve() });
}

function hasDocker(): boolean {
  return spawnSync('docker', ['version', '--format', '{{.Server.Version}}'], { timeout: 5_000 }).status === 0;
}

async function startDatabase(docker: boolean): Promise<Store> {
  if (!docker) return startThrowawayPostgres();
  const { PostgreSqlContainer } = await import('@testcontainers/postgresql');
  const flags = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=400'];
  const container = await new PostgreSqlContainer('postgres:18-alpine')
    .withCommand(['postgres', ...flags.flatMap((flag) => ['-c', flag])])
    .start();
  return { url: container.getConnectionUri(), stop: async () => void (await container.stop()) };
}

/** A PostgreSQL that keeps nothing. */
export function startThrowawayPostgres(): Promise<PostgresServer> {
  return startPostgres({ folder: temporaryFolder(), password: 'throwaway', isThrowaway: true });
}

async function startQueueStore(docker: boolean): Promise<Store> {
  if (!docker) return startRedis();
  const { GenericContainer } = await import('testcontainers');
  const container = await new GenericContainer('redis:8-alpine')
    .withExposedPorts(6379)
    .withCommand(['redis-server', '--databases', String(redisDatabases), '--save', ''])
    .start();
  const url = `redis://${container.getHost()}:${container.getMappedPort(6379)}`;
  return { url, stop: async () => void (await container.stop()) };
}

/** A private temporary folder would be out of reach for the user as whom PostgreSQL runs. */
function temporaryFolder(): string {
  const { user } = findPostgres();
  const parent = [tmpdir(), '/var/tmp', '/tmp'].find((folder) => !user || canEnter(folder, user)) ?? tmpdir();
  return mkdtempSync(join(parent, 'switchyard-test-pg-'));
}
