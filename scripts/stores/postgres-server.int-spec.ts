import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import pg from 'pg';
import { type PostgresServer, startPostgres } from './postgres-server.ts';

let parent: string;
let folder: string;
const servers: PostgresServer[] = [];

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'switchyard-server-'));
  chmodSync(parent, 0o711);
  folder = join(parent, 'data');
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.kill()));
  rmSync(parent, { recursive: true, force: true });
});

async function start(): Promise<PostgresServer> {
  const server = await startPostgres({ folder, password: 'pass word/@' });
  servers.push(server);
  return server;
}

async function query(server: PostgresServer, statement: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  return client.query(statement).then(({ rows }) => rows as unknown[]).finally(() => client.end()); // prettier-ignore
}

function postmaster(): number {
  return Number.parseInt(readFileSync(join(folder, 'postmaster.pid'), 'utf8'), 10);
}

function parentOf(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' }));
}

function childrenOf(pid: number): number[] {
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  return rows
    .map((row) => row.trim().split(/\s+/).map(Number))
    .flatMap(([child, ppid]) => (ppid === pid && child ? [child] : []));
}

it('keeps its data over a stop and a start', async () => {
  const first = await start();
  await query(first, 'CREATE TABLE kept AS SELECT 42 AS answer');
  await first.stop();
  expect(await query(await start(), 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
}, 60_000);

it('recovers what was committed when it is killed', async () => {
  const first = await start();
  await query(first, 'CREATE TABLE kept AS SELECT 42 AS answer');
  await first.kill();
  expect(await query(await start(), 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
}, 60_000);

it('takes the place of a server that an earlier start left behind without its guard', async () => {
  await start();
  const orphan = postmaster();
  const guard = parentOf(orphan);
  for (const pid of [...childrenOf(guard).filter((child) => child !== orphan), guard])
    process.kill(pid, 'SIGKILL');
  await eventually(() => parentOf(orphan) !== guard);
  const second = await start();
  expect(postmaster()).not.toBe(orphan);
  expect(existsSync(`/proc/${orphan}`) && readFileSync(`/proc/${orphan}/cmdline`, 'utf8')).toBeFalsy();
  expect(await query(second, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
}, 60_000);
