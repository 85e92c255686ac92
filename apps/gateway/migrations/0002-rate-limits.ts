import { grant } from '@switchyard/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Counts of calls, where the queue is not in Redis. Its columns are those of `rate-limiter-flexible`. */
export class RateLimits1764000000502 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Unlogged: a crash forgets the counts of a minute, and no call waits for the disk.
    await runner.query(`
      CREATE UNLOGGED TABLE gateway.rate_limits (
        key varchar(255) PRIMARY KEY,
        points integer NOT NULL DEFAULT 0,
        expire bigint
      ) WITH (fillfactor = 50)`);
    await runner.query(`CREATE INDEX rate_limits_by_expiry ON gateway.rate_limits (expire)`);
    await grant(runner, {
      ...{ on: 'gateway.rate_limits', to: ['gateway'] },
      privilege: 'SELECT, INSERT, UPDATE, DELETE',
    });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE gateway.rate_limits');
  }
}
