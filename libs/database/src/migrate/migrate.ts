import { Client } from 'pg';
import type { MigrationInterface } from 'typeorm';
import { createDataSource } from '../data-source.js';
import { roleSetting } from './grant.js';
import { migrateQueue, type QueueStore } from './queue-store.js';
import { ensureRole, roleOf } from './roles.js';
import { ensureSchemas } from './schemas.js';

/** The migrations of one app; its list of what was done lies in its schema. */
export type AppMigrations = { app: string; schema: string; classes: (new () => MigrationInterface)[] };

/** `roles`: for each app the URL with which it connects. Its user and password become a login role. */
export type MigrateOptions = {
  adminUrl: string;
  roles: Record<string, string>;
  /** In the order in which they run: an app's views come before those who read them. */
  migrations: AppMigrations[];
  queue?: QueueStore;
  log?: (line: string) => void;
};

const lockKey = 0x5357_4954; // "SWIT"

/**
 * Brings a database up to date as the migrator: roles, schemas, the queue's store, then the migrations of each app.
 * One migrator at a time works on a database, others wait for it. Gives the names of the migrations that ran.
 */
export async function migrate(options: MigrateOptions): Promise<string[]> {
  const client = new Client({ connectionString: options.adminUrl, application_name: 'switchyard-migrate' });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [lockKey]);
    const roleNames = await ensureRoles(client, options);
    await ensureSchemas(client, roleNames);
    if (options.queue) await migrateQueue(client, options.adminUrl, options.queue);
    const done: string[] = [];
    for (const app of options.migrations) done.push(...(await runMigrations(app, options, roleNames)));
    return done;
  } finally {
    await client.end();
  }
}

async function ensureRoles(
  client: Client,
  { adminUrl, roles }: MigrateOptions,
): Promise<Record<string, string>> {
  const admin = roleOf(adminUrl).name;
  const names: Record<string, string> = {};
  for (const [app, url] of Object.entries(roles)) {
    const role = roleOf(url);
    names[app] = role.name;
    if (role.name !== admin) await ensureRole(client, role);
  }
  return names;
}

async function runMigrations(
  app: AppMigrations,
  options: MigrateOptions,
  roleNames: Record<string, string>,
): Promise<string[]> {
  const source = createDataSource({
    url: options.adminUrl,
    schema: app.schema,
    migrations: app.classes,
    applicationName: `switchyard-migrate-${app.app}`,
    statementTimeoutMs: 0,
    poolSize: 1,
    session: Object.fromEntries(Object.entries(roleNames).map(([name, role]) => [roleSetting(name), role])),
  });
  await source.initialize();
  try {
    const done = (await source.runMigrations()).map(({ name }) => name);
    done.forEach((name) => options.log?.(`${app.app}: ${name}`));
    return done;
  } finally {
    await source.destroy();
  }
}
