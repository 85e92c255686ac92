import type { Client } from 'pg';
import { ensureRole, roleOf } from './roles.js';

/** The queue's own store. `migrate` is `migrateQueueStore` of libs/queue, which this library may not import. */
export type QueueStore = { url: string; migrate(url: string): Promise<void> };

/**
 * Migrates the queue's store. In this very database it gets a role of its own, which owns its schemas, may create
 * them only while this runs, and does not wait for the disk at commit: a job that a crash takes is brought back by
 * the ledger, which does wait.
 */
export async function migrateQueue(client: Client, adminUrl: string, store: QueueStore): Promise<void> {
  if (!isSameDatabase(adminUrl, store.url)) return store.migrate(store.url);
  const role = roleOf(store.url);
  if (role.name === roleOf(adminUrl).name) return store.migrate(store.url);
  await ensureRole(client, role);
  const [name, database] = [
    client.escapeIdentifier(role.name),
    client.escapeIdentifier(databaseOf(adminUrl)),
  ];
  await client.query(`GRANT CONNECT, CREATE ON DATABASE ${database} TO ${name}`);
  await client.query(`ALTER ROLE ${name} SET synchronous_commit = off`);
  await store.migrate(store.url);
  await client.query(`REVOKE CREATE ON DATABASE ${database} FROM ${name}`);
}

function isSameDatabase(a: string, b: string): boolean {
  return (
    /^postgres(ql)?:$/.test(new URL(b).protocol) &&
    new URL(a).host === new URL(b).host &&
    databaseOf(a) === databaseOf(b)
  );
}

function databaseOf(url: string): string {
  return decodeURIComponent(new URL(url).pathname.slice(1)) || 'postgres';
}
