/**
 * Migrates a database: `node scripts/migrate.ts`, after `node scripts/build.ts`. Reads `DATABASE_URL` (the migrator's,
 * who may create roles and schemas), `<APP>_DATABASE_URL` of each service, and `QUEUE_URL`.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type AppMigrations, migrate } from '@switchyard/database';
import { migrateQueueStore } from '@switchyard/queue';
import { hideFromLogs, loadConfig } from '@switchyard/service-kit';
import { z } from 'zod';

/** In this order: views of an app are read by those that follow it. */
const schemas = {
  registry: 'registry',
  'token-broker': 'vault',
  'catalog-sync': 'catalog',
  dispatch: 'dispatch',
  gateway: 'gateway',
  'agent-runner': 'runs',
};
type App = keyof typeof schemas;
const apps = Object.keys(schemas) as App[];

const env = loadConfig('migrate', z.looseObject(expected()));
const roles = Object.fromEntries(apps.map((app) => [app, String(env[variableOf(app)])]));
for (const url of [env.DATABASE_URL, env.QUEUE_URL, ...Object.values(roles)]) hideFromLogs(url);

const done = await migrate({
  adminUrl: env.DATABASE_URL,
  roles,
  migrations: (await Promise.all(apps.map(loadMigrations))).flat(),
  queue: { url: env.QUEUE_URL, migrate: migrateQueueStore },
  log: (line) => process.stdout.write(`${line}\n`),
});
process.stdout.write(`migrate: ${done.length} migrations ran\n`);

function expected() {
  return {
    DATABASE_URL: z.url(),
    QUEUE_URL: z.url(),
    ...Object.fromEntries(apps.map((app) => [variableOf(app), z.url()])),
  };
}

function variableOf(app: string): string {
  return `${app.toUpperCase().replaceAll('-', '_')}_DATABASE_URL`;
}

async function loadMigrations(app: App): Promise<AppMigrations[]> {
  const folder = join(import.meta.dirname, '../apps', app);
  if (!existsSync(join(folder, 'dist/migrations')) && !existsSync(join(folder, 'migrations'))) return [];
  const { migrations } = (await import(join(folder, 'dist/migrations/index.js'))) as {
    migrations: AppMigrations['classes'];
  };
  return [{ app, schema: schemas[app], classes: migrations }];
}
