import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import pg from 'pg';
import { keepPostgres } from './kept-postgres.ts';
import type { PostgresServer } from './postgres-server.ts';

let parent: string;
let folder: string;
let server: PostgresServer | undefined;
const pauses: number[] = [];

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'switchyard-kept-'));
  chmodSync(parent, 0o711);
  folder = join(parent, 'data');
  pauses.length = 0;
});
afterEach(async () => {
  await server?.kill();
  rmSync(parent, { recursive: true, force: true });
});

const kill = () =>
  process.kill(Number.parseInt(readFileSync(join(folder, 'postmaster.pid'), 'utf8'), 10), 'SIGKILL');

async function answer(): Promise<unknown> {
  const client = new pg.Client({ connectionString: server?.url });
  client.on('error', () => undefined);
  await client.connect();
  return client.query('SELECT answer FROM kept').then(({ rows }) => rows[0]?.answer as unknown).finally(() => client.end()); // prettier-ignore
}

it('comes back on its port with its data each time that it is killed, and stays down once it is stopped', async () => {
  server = await keepPostgres({ folder, password: 'pw', onRestart: (pauseMs) => pauses.push(pauseMs) });
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  await client.query('CREATE TABLE kept AS SELECT 42 AS answer');
  await client.end();
  for (const restarts of [1, 2]) {
    kill();
    await eventually(async () => pauses.length === restarts && (await answer()) === 42, {
      timeoutMs: 30_000,
    });
  }
  expect(pauses).toEqual([250, 500]);
  await server.stop();
  await expect(answer()).rejects.toThrow(/ECONNREFUSED/);
  expect(await server.ended).toBe(0);
}, 90_000);
