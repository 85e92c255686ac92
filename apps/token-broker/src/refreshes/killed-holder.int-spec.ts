import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { eventually, workspaceRoot } from '@switchyard/testing';
import { codeOf, PeopleHarness } from '../people-harness-spec.js';

let people: PeopleHarness;
let child: ChildProcess | undefined;

/** A broker as a process of its own, that can be killed. */
async function spawnBroker(): Promise<ChildProcess> {
  const root = workspaceRoot();
  await promisify(execFile)(process.execPath, ['scripts/build.ts'], { cwd: root });
  const env = { ...people.broker.env({ LOG_LEVEL: 'info' }), PATH: process.env.PATH };
  child = spawn(process.execPath, ['apps/token-broker/dist/src/main.js'], { cwd: root, env });
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
  await eventually(() => output.includes('"ready"'), { timeoutMs: 30_000 });
  return child;
}

/** How many hold a credential's row and wait for the vendor. */
async function holders(): Promise<number> {
  const [row] = await people.broker.sql.query<{ count: number }>(
    `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'token-broker-refresh'
     AND state = 'idle in transaction' AND query LIKE '%FOR UPDATE%' AND datname = current_database()`,
  );
  return row!.count;
}

beforeAll(async () => {
  people = await PeopleHarness.open();
}, 120_000);
afterAll(async () => {
  child?.kill('SIGKILL');
  await people.close();
});

it('a broker that is killed while it holds the lock costs at most one more refresh, and no lease', async () => {
  const first = await people.broker.startBroker();
  const bob = await people.person('bob');
  const integrationId = await people.insertIntegration();
  await bob.connect(integrationId);
  await first.close();
  await people.expire(integrationId);
  const doomed = await spawnBroker();
  people.vendor.delayRefresh(15_000);
  const waiting = Promise.all(Array.from({ length: 100 }, () => people.lease(integrationId, bob.id)));
  await eventually(async () => (await holders()) === 1);
  await people.broker.startBroker();
  people.vendor.delayRefresh(0);
  doomed.kill('SIGKILL');
  await once(doomed, 'exit');
  expect(new Set((await waiting).map(codeOf))).toEqual(new Set(['user_token']));
  expect(people.vendor.refreshes(true)).toBe(1);
  // Nobody used a refresh token twice: the family lives.
  await people.expire(integrationId);
  expect(codeOf(await people.lease(integrationId, bob.id))).toBe('user_token');
}, 90_000);
