import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDataSource } from '@switchyard/database';
import { testApps, workspaceRoot } from '@switchyard/testing';
import { BrokerHarness } from '../token-broker-harness-spec.js';

let broker: BrokerHarness;

beforeAll(async () => {
  broker = await BrokerHarness.open();
  await broker.startBroker();
}, 120_000);
afterAll(() => broker.close());

async function attempt(url: string, statement: string): Promise<string> {
  const source = await createDataSource({
    url,
    schema: 'public',
    applicationName: 'test',
    poolSize: 1,
  }).initialize();
  try {
    await source.query(statement);
    return 'allowed';
  } catch (error) {
    return String((error as { driverError?: { code?: string } }).driverError?.code);
  } finally {
    await source.destroy();
  }
}

describe('the vault', () => {
  const others = testApps.filter((app) => app !== 'token-broker');

  it.each(others)('cannot be read or written by %s', async (app) => {
    const denied = '42501';
    const tables = await broker.sql.query<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'vault'`,
    );
    expect(tables.length).toBeGreaterThanOrEqual(8);
    for (const { name: table } of tables) {
      expect(await attempt(broker.database.urls[app], `SELECT * FROM vault.${table}`)).toBe(denied);
      expect(await attempt(broker.database.urls[app], `DELETE FROM vault.${table}`)).toBe(denied);
    }
  });

  it('shows its public keys to the registry and the gateway, and nothing private', async () => {
    for (const app of ['registry', 'gateway'] as const)
      expect(
        await attempt(broker.database.urls[app], `SELECT kid, jwk, active FROM broker.v_public_keys`),
      ).toBe('allowed');
    const [row] = await broker.sql.query<{ jwk: object }>(`SELECT jwk FROM broker.v_public_keys`);
    expect(Object.keys(row!.jwk).sort()).toEqual(['crv', 'kty', 'x', 'y']);
  });

  it('does not open a ciphertext that was moved to another row', async () => {
    const [mine, theirs] = [
      await broker.insertIntegration('headers'),
      await broker.insertIntegration('headers'),
    ];
    await broker.put(theirs, { 'X-Key': 'canary' });
    await broker.put(mine, { 'X-Key': 'mine' });
    await broker.sql.query(
      `UPDATE vault.secrets SET ciphertext = (SELECT ciphertext FROM vault.secrets WHERE integration_id = $1) WHERE integration_id = $2`,
      [theirs, mine],
    );
    await expect(broker.lease(mine)).rejects.toMatchObject({ code: 'internal' });
  });
});

describe('a broker that starts', () => {
  it.each([
    ['another', randomBytes(32).toString('base64'), 'SWITCHYARD_MASTER_KEY is not the key'],
    ['a default', 'changeme'.repeat(8), 'SWITCHYARD_MASTER_KEY'],
    ['an empty', '', 'SWITCHYARD_MASTER_KEY is required'],
  ])(
    'exits with 1 and a clear line for %s master key',
    async (_what, key, expected) => {
      const root = workspaceRoot();
      const run = promisify(execFile);
      await run(process.execPath, ['scripts/build.ts'], { cwd: root });
      const env = {
        ...broker.env({ SWITCHYARD_MASTER_KEY: key, LOG_LEVEL: 'info' }),
        PATH: process.env.PATH,
      };
      const failure = await run(process.execPath, ['apps/token-broker/dist/src/main.js'], {
        cwd: root,
        env,
      }).then(
        () => null,
        (error: { code: number; stdout: string; stderr: string }) => error,
      );
      expect(failure?.code).toBe(1);
      expect(`${failure?.stdout}${failure?.stderr}`).toContain(expected);
      if (key) expect(`${failure?.stdout}${failure?.stderr}`).not.toContain(key);
    },
    60_000,
  );
});
