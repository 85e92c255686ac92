import { DataSource, type EntitySchema, type Logger, type MigrationInterface } from 'typeorm';

/** Where and as whom to connect. */
export type DataSourceSettings = {
  url: string;
  /** Schema of the entities that name none, and of the migrations table. */
  schema: string;
  entities?: (new (...args: never[]) => object)[] | EntitySchema[];
  migrations?: (new () => MigrationInterface)[];
  /** Shown in `pg_stat_activity`. */
  applicationName: string;
  /** 10 by default. */
  poolSize?: number;
  /** Milliseconds after which PostgreSQL ends a statement; 0 never. 60 s by default. */
  statementTimeoutMs?: number;
  /** PostgreSQL settings of every connection. */
  session?: Record<string, string>;
  /** An idle connection broke; the pool opens another. */
  onPoolError?: (error: Error) => void;
};

/** What TypeORM would print holds statements and their parameters; errors are logged by whoever handles them. */
const silent: Logger = {
  logQuery: () => undefined,
  logQueryError: () => undefined,
  logQuerySlow: () => undefined,
  logSchemaBuild: () => undefined,
  logMigration: () => undefined,
  log: () => undefined,
};

/**
 * A TypeORM data source, not yet connected. It never synchronizes the schema. `bigint` columns arrive as numbers:
 * ours count versions and bytes, far below 2^53. The whole process shares that setting of the driver.
 */
export function createDataSource(settings: DataSourceSettings): DataSource {
  return new DataSource({
    type: 'postgres',
    url: settings.url,
    schema: settings.schema,
    entities: settings.entities ?? [],
    migrations: settings.migrations ?? [],
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
    synchronize: false,
    logger: silent,
    installExtensions: false,
    uuidExtension: 'pgcrypto',
    parseInt8: true,
    applicationName: settings.applicationName,
    poolSize: settings.poolSize ?? 10,
    connectTimeoutMS: 5_000,
    poolErrorHandler: (error: Error) => settings.onPoolError?.(error),
    extra: {
      keepAlive: true,
      statement_timeout: settings.statementTimeoutMs ?? 60_000,
      options: sessionOptions(settings.session ?? {}),
    },
  });
}

/** The `options` of PostgreSQL's start-up packet, in which blanks and backslashes are escaped. */
function sessionOptions(session: Record<string, string>): string | undefined {
  const parts = Object.entries(session).map(
    ([name, value]) => `-c ${name}=${value.replaceAll(/([\\ ])/g, '\\$1')}`,
  );
  return parts.length > 0 ? parts.join(' ') : undefined;
}
