import { runMigrations } from 'bullmq';
import pg from 'pg';

/**
 * Brings the queue's store up to date: BullMQ's own tables (schema `bullmq`) and the bus's (`switchyard_bus`).
 * Nothing to do for Redis. The role of `url` must be allowed to create schemas. Safe to run from several processes
 * at the same time.
 */
export async function migrateQueueStore(url: string): Promise<void> {
  if (!isPostgresUrl(url)) return;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await runMigrations(client);
    await client.query(busTables);
  } finally {
    await client.end();
  }
}

/** Whether a `QUEUE_URL` names the PostgreSQL backend. */
export function isPostgresUrl(url: string): boolean {
  return /^postgres(ql)?:/.test(url);
}

/**
 * Both tables are unlogged: a message is worth nothing after a crash, and the mark's disappearance is how the
 * services learn of the crash. The lock serializes processes that start at once.
 */
const busTables = `
  BEGIN;
  SELECT pg_advisory_xact_lock(hashtext('switchyard_bus'));
  CREATE SCHEMA IF NOT EXISTS switchyard_bus;
  CREATE UNLOGGED TABLE IF NOT EXISTS switchyard_bus.body (
    id uuid PRIMARY KEY,
    body text NOT NULL,
    sent_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE UNLOGGED TABLE IF NOT EXISTS switchyard_bus.incarnation (
    one boolean PRIMARY KEY CHECK (one),
    id uuid NOT NULL
  );
  COMMIT;`;
