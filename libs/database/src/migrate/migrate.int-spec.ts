import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testDatabase, type TestDatabase } from '@switchyard/testing';
import pg from 'pg';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { grant } from './grant.js';
import { type AppMigrations, migrate } from './migrate.js';

class Things1700000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE registry.things (id int PRIMARY KEY, secret text)');
    await runner.query('CREATE VIEW registry.v_things AS SELECT id FROM registry.things');
    await runner.query(
      `CREATE FUNCTION registry.count_things() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM registry.things'`,
    );
    await runner.query('REVOKE EXECUTE ON FUNCTION registry.count_things FROM PUBLIC');
    await grant(runner, { on: 'registry.v_things', to: ['gateway'], privilege: 'SELECT' });
    await grant(runner, { on: 'FUNCTION registry.count_things', to: ['gateway'], privilege: 'EXECUTE' });
  }

  async down(): Promise<void> {}
}

class Breaks1700000000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE registry.half_done (id int)');
    throw new Error('in the middle');
  }

  async down(): Promise<void> {}
}

const migrations: AppMigrations[] = [{ app: 'registry', schema: 'registry', classes: [Things1700000000001] }];
const queueCalls: string[] = [];
let database: TestDatabase;
let roles: Record<string, string>;

async function run(url: string, statement: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(statement)).rows as unknown[];
  } finally {
    await client.end();
  }
}

function migrateAll(changed: Partial<Parameters<typeof migrate>[0]> = {}): Promise<string[]> {
  return migrate({ adminUrl: database.adminUrl, roles, migrations, ...changed });
}

beforeAll(async () => {
  database = await testDatabase({ migrated: false });
  const { registry, gateway } = database.urls;
  roles = { registry, gateway };
});
afterAll(() => database.close());

describe('migrate', () => {
  it('runs every migration once, also when several migrators come at once', async () => {
    const runs = await Promise.all([migrateAll(), migrateAll(), migrateAll()]);
    expect(runs.flat()).toEqual(['Things1700000000001']);
    expect(await migrateAll()).toEqual([]);
  });

  it('lets the owner write its schema and others see what they were granted, and no more', async () => {
    await run(roles.registry ?? '', `INSERT INTO registry.things VALUES (1, 'canary')`);
    const gateway = roles.gateway ?? '';
    expect(await run(gateway, 'SELECT * FROM registry.v_things')).toEqual([{ id: 1 }]);
    expect(await run(gateway, 'SELECT registry.count_things() AS n')).toEqual([{ n: 1 }]);
    await expect(run(gateway, 'SELECT * FROM registry.things')).rejects.toThrow(/permission denied/);
    await expect(run(gateway, 'INSERT INTO registry.v_things VALUES (2)')).rejects.toThrow(
      /permission denied/,
    );
    await expect(run(gateway, 'CREATE TABLE public.mine (id int)')).rejects.toThrow(/permission denied/);
    await expect(run(roles.registry ?? '', 'CREATE TABLE registry.mine (id int)')).rejects.toThrow(
      /permission denied/,
    );
  });

  it('gives a role the password of its URL, each time', async () => {
    const changed = new URL(roles.gateway ?? '');
    changed.password = 'rotated, with / and @';
    await migrateAll({ roles: { ...roles, gateway: changed.href } });
    expect(await run(changed.href, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await expect(run(roles.gateway ?? '', 'SELECT 1')).rejects.toThrow(/password authentication failed/);
    await migrateAll();
  });

  it('leaves nothing of a migration that fails', async () => {
    const broken = [
      { app: 'registry', schema: 'registry', classes: [Things1700000000001, Breaks1700000000002] },
    ];
    await expect(migrateAll({ migrations: broken })).rejects.toThrow('in the middle');
    expect(await run(database.adminUrl, `SELECT to_regclass('registry.half_done') AS name`)).toEqual([
      { name: null },
    ]);
  });

  it('refuses a grant to an app whose role it was not told', async () => {
    class Grants1700000000003 implements MigrationInterface {
      up = (runner: QueryRunner): Promise<void> =>
        grant(runner, { on: 'registry.v_things', to: ['dispatch'], privilege: 'SELECT' });
      down = (): Promise<void> => Promise.resolve();
    }
    const classes = [Things1700000000001, Grants1700000000003];
    await expect(
      migrateAll({ migrations: [{ app: 'registry', schema: 'registry', classes }] }),
    ).rejects.toThrow(/no database URL of dispatch/);
  });

  it('lets the queue’s role create its schemas during the migration and never after', async () => {
    const url = database.urls.queue;
    const queue = {
      url,
      migrate: async (given: string) => {
        queueCalls.push(given);
        await run(given, 'CREATE SCHEMA IF NOT EXISTS queue_of_test');
      },
    };
    await migrateAll({ queue });
    await migrateAll({ queue });
    expect(queueCalls).toEqual([url, url]);
    await expect(run(url, 'CREATE SCHEMA another')).rejects.toThrow(/permission denied/);
    expect(await run(url, 'SHOW synchronous_commit')).toEqual([{ synchronous_commit: 'off' }]);
    expect(await run(roles.registry ?? '', 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});
