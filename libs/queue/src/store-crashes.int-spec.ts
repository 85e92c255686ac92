import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually, privatePostgres, privateRedis, testDatabase } from '@switchyard/testing';
import pg from 'pg';
import { echoQueue } from '../test-fixtures/echo-queue.js';
import { testClients } from '../test-fixtures/test-clients.js';
import { migrateQueueStore } from './migrate-queue-store.js';
import type { QueueClient } from './queue-client.js';

const queue = echoQueue();

async function works(client: QueueClient): Promise<void> {
  const result = await eventually(() => client.request(queue, { n: 1 }, { timeoutMs: 5_000 }), {
    timeoutMs: 20_000,
  });
  expect(result).toEqual({ n: 2 });
}

/** Kills one of its processes: PostgreSQL then ends all others, recovers from its log, and starts again. */
async function crash(url: string): Promise<void> {
  const admin = new pg.Client({ connectionString: url });
  admin.on('error', () => undefined);
  await admin.connect();
  // Waits for the disk, and so for all that was committed before.
  await admin.query('SET synchronous_commit = on; CREATE TABLE written_through (x int)');
  const { rows } = await admin.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  process.kill(rows[0]!.pid, 'SIGKILL');
}

describe('a Redis that is killed and comes back empty', () => {
  it('is noticed as such, and work goes on', async () => {
    const redis = await privateRedis();
    const clients = testClients({ url: () => redis.url, prefix: 'test' });
    const [client, idle] = await Promise.all([clients.connect(), clients.connect()]);
    client.consume(queue, async ({ n }) => ({ n: n + 1 }), { concurrency: 4 });
    await works(client);
    let noticed = 0;
    idle.onReconnect(() => (noticed += 1));
    const lost = await client.enqueue(echoQueue('nobody-consumes'), { n: 1 });
    await redis.kill();
    const again = await privateRedis({ port: redis.port });
    await works(client);
    // Once for the bus, once for the data.
    await eventually(() => noticed >= 2);
    expect(await client.exists(echoQueue('nobody-consumes'), [lost])).toEqual(new Set());
    await clients.closeAll();
    await again.stop();
  }, 60_000);
});

describe('a PostgreSQL', () => {
  const cleanUp: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const step of cleanUp.splice(0).reverse()) await step();
  });

  it('that crashes is noticed as such, keeps its jobs, and work goes on', async () => {
    const postgres = await privatePostgres();
    cleanUp.push(() => postgres.stop());
    await migrateQueueStore(postgres.url);
    const clients = testClients({ url: () => postgres.url, prefix: '' });
    cleanUp.push(() => clients.closeAll());
    const client = await clients.connect();
    client.consume(queue, async ({ n }) => ({ n: n + 1 }), { concurrency: 4 });
    await works(client);
    let noticed = 0;
    client.onReconnect(() => (noticed += 1));
    const kept = await client.enqueue(echoQueue('nobody-consumes'), { n: 1 });
    await crash(postgres.url);
    await works(client);
    // Once for the bus, once for the mark, which the crash has wiped.
    await eventually(() => noticed >= 2);
    expect(await client.exists(echoQueue('nobody-consumes'), [kept])).toEqual(new Set([kept]));
  }, 60_000);

  it('that ends every connection at once is reconnected to, listening included', async () => {
    const database = await testDatabase();
    cleanUp.push(() => database.close());
    const clients = testClients({ url: () => database.urls.queue, prefix: '' });
    cleanUp.push(() => clients.closeAll());
    const client = await clients.connect();
    client.consume(queue, async ({ n }) => ({ n: n + 1 }), { concurrency: 4 });
    await works(client);
    const admin = new pg.Client({ connectionString: database.adminUrl });
    await admin.connect();
    cleanUp.push(() => admin.end());
    for (let round = 0; round < 3; round += 1) {
      await admin.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
      );
      await works(client);
    }
  }, 60_000);

  it('has few connections from a process that consumes many queues, and wakes each of them', async () => {
    const database = await testDatabase();
    cleanUp.push(() => database.close());
    const clients = testClients({ url: () => database.urls.queue, prefix: '' });
    cleanUp.push(() => clients.closeAll());
    const client = await clients.connect();
    const many = Array.from({ length: 40 }, (_, n) => echoQueue(`stdio-${n}`));
    for (const one of many) client.consume(one, async ({ n }) => ({ n: n + 1 }), { concurrency: 2 });
    // Forty consumers that begin at once may keep a busy machine from its answer for longer than a request waits.
    const ask = (one: typeof queue, n: number) =>
      eventually(() => client.request(one, { n }, { timeoutMs: 10_000 }));
    const answers = await Promise.all(many.map(ask));
    expect(answers).toEqual(many.map((_, n) => ({ n: n + 1 })));
    const admin = new pg.Client({ connectionString: database.adminUrl });
    await admin.connect();
    cleanUp.push(() => admin.end());
    const { rows } = await admin.query<{ count: string }>(
      `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'switchyard%'`,
    );
    expect(Number(rows[0]?.count)).toBeLessThanOrEqual(11);
  }, 60_000);
});
