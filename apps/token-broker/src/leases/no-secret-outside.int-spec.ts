import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { queues } from '@switchyard/contracts';
import { eventually, onBothQueueBackends, workspaceRoot } from '@switchyard/testing';
import { BrokerHarness, newRecipient } from '../token-broker-harness-spec.js';

const canary = 'canary-8f2c91d7';
/** As text, as PostgreSQL prints bytes, and as base64 prints its middle. */
const disguises = [
  canary,
  Buffer.from(canary).toString('hex'),
  Buffer.from(canary.slice(2, -2)).toString('base64').slice(0, 12),
];

function finds(text: string): string[] {
  return disguises.filter((disguise) => text.includes(disguise));
}

/** Everything that anybody says to the Redis server, keys and messages, from now on. */
async function monitor(url: string): Promise<{ seen: () => string; end: () => void }> {
  const { hostname, port } = new URL(url);
  const socket: Socket = createConnection({ host: hostname, port: Number(port) });
  let seen = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (seen += chunk));
  socket.write('MONITOR\r\n');
  await eventually(() => seen.startsWith('+OK'));
  return { seen: () => seen, end: () => socket.destroy() };
}

onBothQueueBackends('a secret on its way through the broker', (backend) => {
  let broker: BrokerHarness;
  let child: ChildProcess;
  let output = '';

  beforeAll(async () => {
    broker = await BrokerHarness.open(backend);
    const root = workspaceRoot();
    await promisify(execFile)(process.execPath, ['scripts/build.ts'], { cwd: root });
    const env = { ...broker.env({ LOG_LEVEL: 'trace' }), PATH: process.env.PATH };
    child = spawn(process.execPath, ['apps/token-broker/dist/src/main.js'], { cwd: root, env });
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
    await eventually(() => output.includes('"ready"'), { timeoutMs: 30_000 });
  }, 120_000);

  afterAll(async () => {
    child.kill('SIGTERM');
    await once(child, 'exit');
    await broker.close();
  }, 60_000);

  it('stands in no job, message, table or log line', async () => {
    const wire = backend.kind === 'redis' ? await monitor(backend.url()) : null;
    const integrationId = await broker.insertIntegration('headers', { header_names: ['X-Key'] });
    await broker.put(integrationId, { 'X-Key': canary });
    await broker.put(integrationId, { 'X-Key': `${canary}\r\n` });
    const { jwk, open } = await newRecipient();
    const granted = await broker.lease(integrationId, { recipient: jwk });
    const refused = await broker.lease(integrationId, {
      orgId: await broker.insertOrganization('other'),
      call: null,
      caller: null,
    });
    const ownerId = await broker.insertAgent();
    await broker.put(ownerId, { api_key: canary }, { kind: 'model_key' });
    const ofAgent = { v: 1, orgId: broker.orgId, ownerId, kind: 'model_key', recipient: jwk } as const;
    const leased = await broker.queue.request(queues.secretLeases, ofAgent, { timeoutMs: 20_000 });
    wire?.end();

    expect(granted.status === 'granted' && (await open(granted.jwe)).headers).toEqual({ 'X-Key': canary });
    expect(refused.status).toBe('refused');
    expect(leased.status).toBe('granted');
    if (wire) expect(wire.seen()).toContain('token-leases');
    expect(finds(wire?.seen() ?? '')).toEqual([]);
    expect(output).toContain('lease refused');
    expect(finds(output)).toEqual([]);
    expect(await tablesWith()).toEqual([]);
    await broker.insertOrganization(canary);
    expect(await tablesWith()).toEqual(['registry.organizations']);
  });

  /** All tables of the database: the broker's, and those of a queue in PostgreSQL. */
  async function tablesWith(): Promise<string[]> {
    const tables = await broker.sql.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
    );
    expect(tables.map(({ name }) => name)).toContain('vault.secrets');
    const found: string[] = [];
    for (const { name } of tables) {
      const rows = await broker.sql.query<{ row: string }>(`SELECT t::text AS row FROM ${name} t`);
      if (rows.some(({ row }) => finds(row).length > 0)) found.push(name);
    }
    return found;
  }
});
