import { describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import pg from 'pg';
import type { Service } from '../harness/dev-file.js';
import { ask } from '../harness/http.js';
import type { Switchyard } from '../harness/switchyard.js';

type Stores = {
  kind: 'redis' | 'postgres';
  adminUrl(): string;
  killQueueStore(): Promise<void>;
  restartQueueStore(): Promise<void>;
};
type Report = { ready: boolean; checks: Record<string, boolean> };

const services: Service[] = ['registry', 'catalog-sync', 'token-broker', 'dispatch', 'gateway'];
const patience = { timeoutMs: 30_000, intervalMs: 100 };

/** `/healthz` and `/readyz` of the processes. */
export function tellsReadiness(switchyard: () => Switchyard, stores: Stores): void {
  describe('readiness', () => {
    const ops = (service: Service, path: string) =>
      ask<Report>(new URL(path, switchyard().dev.ops_urls[service][0]));
    const areReady = (some: readonly Service[]) =>
      eventually(async () => {
        for (const service of some) expect(await ops(service, '/readyz')).toMatchObject({ status: 200 });
        return true;
      }, patience);
    const isUnready = (service: Service, check: string) =>
      eventually(async () => {
        const checks = { [check]: false };
        const away = { status: 503, body: { ready: false, checks } };
        expect(await ops(service, '/readyz')).toMatchObject(away);
        return true;
      }, patience);

    it.each(services)(
      'of %s goes with its database and comes back with it; the others stay',
      async (service) => {
        await areReady(services);
        const { pids } = switchyard().dev;
        const giveBack = await takeDatabase(service, stores.adminUrl());
        try {
          await isUnready(service, 'database');
          expect(await ops(service, '/healthz')).toMatchObject({ status: 200 });
          await areReady(services.filter((other) => other !== service));
        } finally {
          await giveBack();
        }
        await areReady(services);
        expect(switchyard().dev.pids).toEqual(pids);
      },
    );

    if (stores.kind === 'redis') {
      it('of all goes with the queue’s store and comes back with it', async () => {
        const { pids } = switchyard().dev;
        await stores.killQueueStore();
        for (const service of services) await isUnready(service, 'queue');
        for (const service of services) expect(await ops(service, '/healthz')).toMatchObject({ status: 200 });
        await stores.restartQueueStore();
        await areReady(services);
        expect(switchyard().dev.pids).toEqual(pids);
      });
    }
  });
}

/** Ends the connections of one service's role and lets it open no more. Gives what undoes it. */
async function takeDatabase(service: Service, adminUrl: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  const role = roleOf(service);
  const { database } = client;
  await client.query(`REVOKE CONNECT ON DATABASE ${database} FROM PUBLIC`);
  await client.query(`REVOKE CONNECT ON DATABASE ${database} FROM ${role}`);
  for (const other of [...services.filter((one) => one !== service).map(roleOf), 'switchyard_queue'])
    await client.query(`GRANT CONNECT ON DATABASE ${database} TO ${other}`).catch(ignoreMissingRole);
  await client.query(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND usename = $2',
    [database, role],
  );
  return async () => {
    await client.query(`GRANT CONNECT ON DATABASE ${database} TO PUBLIC`);
    await client.end();
  };
}

function roleOf(service: Service): string {
  return `switchyard_${service.replaceAll('-', '_')}`;
}

/** Where the queue lies in Redis, its role need not be there. */
function ignoreMissingRole(error: Error & { code?: string }): void {
  if (error.code !== '42704') throw error;
}
