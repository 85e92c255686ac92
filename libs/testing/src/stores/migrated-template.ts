import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { workspaceRoot } from '../workspace-root.js';
import { testApps, testRoleUrl } from './test-roles.js';
import { withDatabase } from './with-database.js';

const lockKey = 0x5457_4954;
const run = promisify(execFile);

/**
 * The name of a database with all migrations, made by the very script that migrates in production. The first test
 * file that asks makes it, the others wait. Its name follows from the migrations' text, so that a server that
 * outlives the run is not taken for up to date.
 */
export async function migratedTemplate(adminUrl: string): Promise<string> {
  const name = `switchyard_template_${digestOfMigrations()}`;
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [lockKey]);
    if (await isReady(client, name)) return name;
    await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await client.query(`CREATE DATABASE ${name}`);
    await migrateInto(withDatabase(adminUrl, name));
    await client.query(`COMMENT ON DATABASE ${name} IS 'ready'`);
    return name;
  } finally {
    await client.end();
  }
}

async function isReady(client: pg.Client, name: string): Promise<boolean> {
  const { rows } = await client.query<{ comment: string | null }>(
    `SELECT shobj_description(oid, 'pg_database') AS comment FROM pg_database WHERE datname = $1`,
    [name],
  );
  return rows[0]?.comment === 'ready';
}

async function migrateInto(adminUrl: string): Promise<void> {
  const root = workspaceRoot();
  const roles = testApps.map((app) => [
    app === 'queue' ? 'QUEUE_URL' : `${app.toUpperCase().replaceAll('-', '_')}_DATABASE_URL`,
    testRoleUrl(adminUrl, app),
  ]);
  const env = { PATH: process.env.PATH, DATABASE_URL: adminUrl, ...Object.fromEntries(roles) };
  await run(process.execPath, ['scripts/build.ts'], { cwd: root, env });
  await run(process.execPath, ['scripts/migrate.ts'], { cwd: root, env });
}

function digestOfMigrations(): string {
  const root = workspaceRoot();
  const files = globSync(
    [
      'apps/*/migrations/*.ts',
      'libs/database/src/migrate/*.ts',
      'libs/queue/src/**/*.ts',
      'scripts/migrate.ts',
    ],
    { cwd: root },
  ).sort();
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(readFileSync(join(root, file)));
  return hash.digest('hex').slice(0, 12);
}
