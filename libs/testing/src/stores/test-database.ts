import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { migratedTemplate } from './migrated-template.js';
import { type TestApp, testApps, testRoleUrl } from './test-roles.js';
import { testSettings } from './test-settings.js';
import { withDatabase } from './with-database.js';

/** A database of one test file. */
export type TestDatabase = {
  readonly name: string;
  /** As a superuser. */
  readonly adminUrl: string;
  /** As each app's own role, and as the queue's (`queue`). Only a migrated database has these roles. */
  readonly urls: Record<TestApp, string>;
  /** Drops the database, and ends whatever is still connected to it. */
  close(): Promise<void>;
};

/** A fresh database: a copy of the migrated template (made once per run), or an empty one with `migrated: false`. */
export async function testDatabase(options: { migrated?: boolean } = {}): Promise<TestDatabase> {
  const { databaseUrl } = testSettings();
  const template = options.migrated === false ? 'template1' : await migratedTemplate(databaseUrl);
  const name = `switchyard_test_${randomBytes(6).toString('hex')}`;
  await withRetries(() => runAsAdmin(databaseUrl, `CREATE DATABASE ${name} TEMPLATE ${template}`));
  const adminUrl = withDatabase(databaseUrl, name);
  const urls = Object.fromEntries(testApps.map((app) => [app, testRoleUrl(adminUrl, app)])) as Record<
    TestApp,
    string
  >;
  return {
    name,
    adminUrl,
    urls,
    close: () => runAsAdmin(databaseUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

/** Runs one statement as the admin of the test server. */
export async function runAsAdmin(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** A template cannot be copied while somebody is connected to it (55006), which its migrator was a moment ago. */
async function withRetries(work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await work();
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== '55006' || attempt >= 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
