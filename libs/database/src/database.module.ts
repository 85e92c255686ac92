import { setTimeout as delay } from 'node:timers/promises';
import type { DynamicModule } from '@nestjs/common';
import { Log, Readiness, Secret, Shutdown } from '@switchyard/service-kit';
import { DataSource } from 'typeorm';
import { createDataSource, type DataSourceSettings } from './data-source.js';
import { Sql } from './sql.js';

/** The settings of a service's database; the URL may be a `Secret`. */
export type DatabaseOptions = Omit<DataSourceSettings, 'url' | 'migrations' | 'onPoolError'> & {
  url: string | Secret;
};

const connectLimitMs = 30_000;
const longestPauseMs = 2_000;

/**
 * Makes a connected `DataSource` and an `Sql` injectable everywhere; `/readyz` checks the connection under the name
 * `database`; closed last of all on shutdown. Waits up to 30 s for a store that is not there yet.
 */
export class DatabaseModule {
  static forRoot(options: DatabaseOptions): DynamicModule {
    const source = {
      provide: DataSource,
      inject: [Log, Readiness, Shutdown],
      useFactory: (log: Log, readiness: Readiness, shutdown: Shutdown) =>
        connect(options, { log, readiness, shutdown }),
    };
    const sql = {
      provide: Sql,
      inject: [DataSource],
      useFactory: (dataSource: DataSource) => new Sql(dataSource),
    };
    return { module: DatabaseModule, global: true, providers: [source, sql], exports: [DataSource, Sql] };
  }
}

type Kit = { log: Log; readiness: Readiness; shutdown: Shutdown };

async function connect(options: DatabaseOptions, { log, readiness, shutdown }: Kit): Promise<DataSource> {
  const source = createDataSource({
    ...options,
    url: options.url instanceof Secret ? options.url.reveal() : options.url,
    onPoolError: (err) => log.warn({ err }, 'an idle database connection broke'),
  });
  await initialize(source, log);
  readiness.add('database', async () => {
    await source.query('SELECT 1');
  });
  shutdown.onClose(() => source.destroy());
  return source;
}

async function initialize(source: DataSource, log: Log): Promise<void> {
  const giveUpAt = Date.now() + connectLimitMs;
  for (let pauseMs = 100; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    try {
      await source.initialize();
      return;
    } catch (err) {
      if (!isTransient(err) || Date.now() + pauseMs > giveUpAt) throw err;
      log.warn({ err }, 'the database is not reachable yet');
      await delay(pauseMs);
    }
  }
}

/** Not reachable, or starting up; a wrong password or a missing database does not heal by waiting. */
function isTransient(error: unknown): boolean {
  const code = String((error as { code?: unknown }).code ?? '');
  const isTimeout = error instanceof Error && /timeout|terminated unexpectedly/i.test(error.message);
  return isTimeout || /^(ECONN|ENOTFOUND|EAI_AGAIN|EHOST|ENET|EPIPE|57P03|53300|08)/.test(code);
}
