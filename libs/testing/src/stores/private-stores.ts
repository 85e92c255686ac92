import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
// The stores' processes are the start script's business; a test borrows its code, and only its types at compile time.
/* eslint-disable @nx/enforce-module-boundaries */
import type { PostgresServer } from '../../../../scripts/stores/postgres-server.ts';
import type { RedisServer } from '../../../../scripts/stores/redis-server.ts';
import { workspaceRoot } from '../workspace-root.js';

/** A Redis for one test that kills or restarts it, on `port` if given. The caller stops it. */
export async function privateRedis(options: { port?: number } = {}): Promise<RedisServer> {
  const { startRedis } =
    await load<typeof import('../../../../scripts/stores/redis-server.ts')>('redis-server.ts');
  return startRedis(options);
}

/** A PostgreSQL for one test that kills or restarts it. The caller stops it. */
export async function privatePostgres(): Promise<PostgresServer> {
  const { startThrowawayPostgres } =
    await load<typeof import('../../../../scripts/stores/test-stores.ts')>('test-stores.ts');
  return startThrowawayPostgres();
}

/** A TCP port of the loopback interface that was free a moment ago, and that nobody is given by chance. */
export async function freePort(): Promise<number> {
  const script = await load<typeof import('../../../../scripts/stores/free-port.ts')>('free-port.ts');
  return script.freePort();
}

/** By a path made at run time, for it must hold from `src` and from `dist`. */
function load<M>(file: string): Promise<M> {
  return import(pathToFileURL(join(workspaceRoot(), 'scripts/stores', file)).href) as Promise<M>;
}
