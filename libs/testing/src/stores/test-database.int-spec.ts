import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { onBothQueueBackends } from './queue-backends.js';
import { privatePostgres, privateRedis } from './private-stores.js';
import { runAsAdmin, testDatabase } from './test-database.js';
import { testRedisUrl } from './test-redis.js';

async function databaseNames(adminUrl: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  const { rows } = await client.query<{ datname: string }>('SELECT datname FROM pg_database');
  await client.end();
  return rows.map(({ datname }) => datname);
}

describe('testDatabase', () => {
  it('gives every caller a database of its own and drops it, with whoever is still connected', async () => {
    const [one, two] = await Promise.all([
      testDatabase({ migrated: false }),
      testDatabase({ migrated: false }),
    ]);
    const left = new pg.Client({ connectionString: one.adminUrl });
    left.on('error', () => undefined);
    await left.connect();
    await runAsAdmin(one.adminUrl, 'CREATE TABLE only_in_one (id int)');
    await expect(runAsAdmin(two.adminUrl, 'SELECT * FROM only_in_one')).rejects.toThrow(/does not exist/);
    await one.close();
    const names = await databaseNames(two.adminUrl);
    expect(names).not.toContain(one.name);
    expect(names).toContain(two.name);
    await two.close();
  });
});

describe('a migrated test database', () => {
  it('has every app’s schema, entered as the app’s own role, and the queue’s store', async () => {
    const database = await testDatabase();
    await runAsAdmin(database.urls.registry, 'SELECT * FROM registry.v_integrations');
    await runAsAdmin(database.urls.dispatch, 'SELECT * FROM registry.v_integrations');
    await runAsAdmin(database.urls.queue, 'SELECT * FROM switchyard_bus.body');
    await expect(runAsAdmin(database.urls.gateway, 'SELECT * FROM dispatch.tool_calls')).rejects.toThrow(
      /permission denied/,
    );
    await database.close();
  }, 120_000);

  it('is its asker’s own', async () => {
    const databases = await Promise.all([testDatabase(), testDatabase(), testDatabase()]);
    expect(new Set(databases.map(({ urls }) => urls.registry)).size).toBe(3);
    await Promise.all(databases.map((database) => database.close()));
  });
});

describe('testRedisUrl', () => {
  it('never gives the same database twice', async () => {
    const urls = await Promise.all([testRedisUrl(), testRedisUrl(), testRedisUrl()]);
    expect(new Set(urls).size).toBe(3);
  });
});

describe('private stores', () => {
  it('start, can be killed, and come back on the same port', async () => {
    const redis = await privateRedis();
    await redis.kill();
    const again = await privateRedis({ port: redis.port });
    expect(again.url).toBe(redis.url);
    await again.stop();
    const postgres = await privatePostgres();
    await runAsAdmin(postgres.url, 'SELECT 1');
    await postgres.kill();
    await expect(runAsAdmin(postgres.url, 'SELECT 1')).rejects.toThrow();
  }, 60_000);
});

onBothQueueBackends(
  'onBothQueueBackends',
  (backend) => {
    it('hands the tests a URL of its kind', () => {
      expect(backend.url()).toMatch(backend.kind === 'redis' ? /^redis:/ : /^postgres/);
    });
  },
  { prepare: () => Promise.resolve() },
);
