import { createHash } from 'node:crypto';
import type { ClientBase } from 'pg';
import { type DataSource, type EntityManager, QueryFailedError, type QueryRunner } from 'typeorm';

type Row = Record<string, unknown>;
type Run<T> = (runner: QueryRunner) => Promise<T[]>;

/**
 * Plain SQL over the pool of a data source. Unlike TypeORM's `query`, every statement gives its rows alone, an
 * `UPDATE … RETURNING` too. Both methods throw TypeORM's `QueryFailedError`, whose `driverError.code` is the SQLSTATE.
 */
export class Sql {
  readonly #source: DataSource;
  readonly #runner?: QueryRunner;

  constructor(source: DataSource, runner?: QueryRunner) {
    this.#source = source;
    this.#runner = runner;
  }

  /** The rows of one statement. */
  async query<T = Row>(statement: string, parameters?: unknown[]): Promise<T[]> {
    return this.#withRunner(async (runner) => {
      const { records } = await runner.query(statement, parameters, true);
      return (records ?? []) as T[];
    });
  }

  /**
   * The rows of a statement that every call runs: parsed and planned once per connection, which is most of what a
   * small statement costs PostgreSQL. For constant texts alone, as connections remember each.
   */
  async prepared<T = Row>(statement: string, parameters: unknown[]): Promise<T[]> {
    return this.#withRunner(async (runner) => {
      const client = (await runner.connect()) as ClientBase;
      try {
        const { rows } = await client.query({
          name: nameOf(statement),
          text: statement,
          values: parameters,
        });
        return rows as T[];
      } catch (error) {
        throw new QueryFailedError(statement, parameters, error as Error);
      }
    });
  }

  /** Runs `work` in one transaction: committed when it resolves, rolled back when it rejects. */
  async transaction<T>(work: (sql: Sql, manager: EntityManager) => Promise<T>): Promise<T> {
    if (this.#runner) return work(this, this.#runner.manager);
    return this.#source.transaction((manager) => work(new Sql(this.#source, manager.queryRunner), manager));
  }

  async #withRunner<T>(run: Run<T>): Promise<T[]> {
    if (this.#runner) return run(this.#runner);
    const runner = this.#source.createQueryRunner();
    try {
      return await run(runner);
    } finally {
      await runner.release();
    }
  }
}

const names = new Map<string, string>();

/** PostgreSQL knows prepared statements by names of up to 63 bytes. */
function nameOf(statement: string): string {
  const known = names.get(statement);
  if (known !== undefined) return known;
  const name = `s${createHash('sha256').update(statement).digest('hex').slice(0, 24)}`;
  names.set(statement, name);
  return name;
}
