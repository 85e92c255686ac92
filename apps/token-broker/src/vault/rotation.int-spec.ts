import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { workspaceRoot } from '@switchyard/testing';
import { BrokerHarness } from '../token-broker-harness-spec.js';

const run = promisify(execFile);
const nextKey = randomBytes(32).toString('base64');
let broker: BrokerHarness;

function rotate(env: Record<string, string>): Promise<{ stdout: string }> {
  const whole = { ...broker.env(env), PATH: process.env.PATH };
  return run(process.execPath, ['scripts/rotate-master-key.ts'], { cwd: workspaceRoot(), env: whole });
}

beforeAll(async () => {
  broker = await BrokerHarness.open();
}, 120_000);
afterAll(() => broker.close());

it('the master key is rotated while brokers with either key lease, and none fails', async () => {
  const both = { SWITCHYARD_MASTER_KEY: nextKey, SWITCHYARD_FORMER_MASTER_KEYS: broker.masterKey };
  const old = await broker.startBroker();
  const integrationId = await broker.insertIntegration('headers', { header_names: ['X-Key'] });
  await broker.put(integrationId, { 'X-Key': 'canary' });
  await broker.startBroker(both);
  let isDone = false;
  const answers: string[] = [];
  const leasing = (async () => {
    while (!isDone) answers.push((await broker.lease(integrationId)).status);
  })();
  const { stdout } = await rotate(both);
  expect(stdout).toContain('1 of 1 data keys');
  expect((await rotate(both)).stdout).toContain('0 of 1 data keys');
  // Written with either key's broker, read with either.
  for (let times = 0; times < 4; times++) await broker.put(integrationId, { 'X-Key': `canary-${times}` });
  isDone = true;
  await leasing;
  expect(answers.length).toBeGreaterThan(5);
  expect(new Set(answers)).toEqual(new Set(['granted']));
  await old.close();
  await broker.startBroker({ SWITCHYARD_MASTER_KEY: nextKey });
  expect(await broker.lease(integrationId)).toMatchObject({ status: 'granted' });
  const rows = await broker.sql.query(
    `SELECT details FROM broker.audit_events WHERE action = 'master_key_rotated'`,
  );
  expect(rows).toHaveLength(2);
}, 120_000);

it('a broker with the former key alone does not start any more, and says why', async () => {
  await expect(broker.startBroker()).rejects.toThrow(/SWITCHYARD_MASTER_KEY is not the key/);
});

it('the command changes nothing without the former key', async () => {
  const failure = (await rotate({ SWITCHYARD_MASTER_KEY: randomBytes(32).toString('base64') }).catch(
    (error: unknown) => error,
  )) as { code: number; stderr: string };
  expect(failure.code).toBe(1);
  expect(failure.stderr).toContain('SWITCHYARD_FORMER_MASTER_KEYS');
}, 60_000);
