import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { Secret, startService } from '@switchyard/service-kit';
import { privatePostgres, testDatabase, type TestDatabase } from '@switchyard/testing';
import { DataSource } from 'typeorm';
import { createDataSource } from './data-source.js';
import { DatabaseModule } from './database.module.js';
import { Sql } from './sql.js';

const config = {
  name: 'test',
  env: 'development',
  logLevel: 'silent',
  host: '127.0.0.1',
  opsPort: 0,
} as const;

function moduleOn(url: string | Secret) {
  @Module({
    imports: [DatabaseModule.forRoot({ url, schema: 'public', applicationName: 'switchyard-test' })],
  })
  class TestModule {}
  return TestModule;
}

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase({ migrated: false });
});
afterAll(() => database.close());

describe('DatabaseModule', () => {
  it('makes a connected data source injectable and closes it with the service', async () => {
    const service = await startService({ config, module: moduleOn(new Secret(database.adminUrl)) });
    const source = service.app.get(DataSource);
    expect(await source.query('SHOW application_name')).toEqual([{ application_name: 'switchyard-test' }]);
    await service.close();
    expect(source.isInitialized).toBe(false);
  });

  it('turns the service unready while the database is away', async () => {
    const server = await privatePostgres();
    const service = await startService({ config, module: moduleOn(server.url) });
    expect((await service.kit.readiness.report()).checks).toMatchObject({ database: true });
    await server.kill();
    expect((await service.kit.readiness.report()).checks).toMatchObject({ database: false });
    await service.close();
  }, 60_000);

  it('does not wait for a password to become right', async () => {
    const url = new URL(database.adminUrl);
    url.password = 'wrong';
    await expect(startService({ config, module: moduleOn(url.href) })).rejects.toThrow(/password/);
  });
});

describe('Sql', () => {
  it('gives rows for every kind of statement', async () => {
    const source = await createDataSource({
      url: database.adminUrl,
      schema: 'public',
      applicationName: 'test',
    }).initialize();
    const sql = new Sql(source);
    await sql.query('CREATE TABLE numbers (n bigint)');
    expect(await sql.query('INSERT INTO numbers VALUES ($1), (2) RETURNING n', [1])).toEqual([
      { n: 1 },
      { n: 2 },
    ]);
    expect(await sql.query('UPDATE numbers SET n = n + 10 WHERE n = 1 RETURNING n')).toEqual([{ n: 11 }]);
    expect(await sql.query('DELETE FROM numbers WHERE n = 2')).toEqual([]);
    const failing = sql.transaction(async (inside) => {
      await inside.query('DELETE FROM numbers');
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect(await sql.query('SELECT n FROM numbers')).toEqual([{ n: 11 }]);
    await source.destroy();
  });

  it('prepares a statement once per connection, and fails as any other does', async () => {
    const source = await createDataSource({
      url: database.adminUrl,
      schema: 'public',
      applicationName: 'test',
      poolSize: 1,
    }).initialize();
    const sql = new Sql(source);
    const add = 'SELECT $1::int + $2::int AS sum';
    expect(await sql.prepared(add, [1, 2])).toEqual([{ sum: 3 }]);
    expect(await sql.transaction((inside) => inside.prepared(add, [3, 4]))).toEqual([{ sum: 7 }]);
    expect(await sql.query('SELECT statement FROM pg_prepared_statements')).toEqual([{ statement: add }]);
    await expect(sql.prepared(add, ['one', 2])).rejects.toMatchObject({ driverError: { code: '22P02' } });
    await source.destroy();
  });
});
