/** PostgreSQL and the queue's store: the given ones, or the embedded PostgreSQL for both. */
import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { keepPostgres } from '../stores/kept-postgres.ts';
import { postgresFolder } from './data-folder.ts';
import type { StartOptions } from './options.ts';
import { roleUrl, type Secrets } from './secrets.ts';

export type Stores = {
  /** The migrator's URL. */
  adminUrl: string;
  queueUrl: string;
  what: string;
  /** Resolves when the embedded PostgreSQL has ended and does not stay up; never otherwise. */
  ended: Promise<unknown>;
  stop(): Promise<void>;
  kill(): Promise<void>;
};

export async function openStores(options: StartOptions, secrets: Secrets): Promise<Stores> {
  const server = options.databaseUrl ? undefined : await startEmbedded(options.dataFolder, secrets);
  const adminUrl = options.databaseUrl ?? server?.url ?? '';
  const queueUrl = options.queueUrl ?? roleUrl(adminUrl, 'queue');
  const database = server ? 'embedded PostgreSQL' : 'PostgreSQL of DATABASE_URL';
  return {
    adminUrl,
    queueUrl,
    what: `${database}, queue on ${/^postgres/.test(queueUrl) ? 'PostgreSQL' : 'Redis'}`,
    ended: server?.ended ?? new Promise(() => undefined),
    stop: async () => server?.stop(),
    kill: async () => server?.kill(),
  };
}

function startEmbedded(dataFolder: string, secrets: Secrets) {
  const logFile = join(dataFolder, 'logs/postgres.log');
  rmSync(logFile, { force: true });
  return keepPostgres({
    folder: postgresFolder(dataFolder),
    password: secrets.postgresPassword,
    onOutput: (text) => appendFileSync(logFile, text, { mode: 0o600 }),
    onRestart: (pauseMs) =>
      process.stderr.write(`[postgres] ended by itself, starts again in ${pauseMs / 1000} s\n`),
  });
}
