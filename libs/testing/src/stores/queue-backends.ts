import { afterAll, beforeAll, describe } from '@jest/globals';
import { type TestDatabase, testDatabase } from './test-database.js';
import { testPrefix, testRedisUrl } from './test-redis.js';

/** The queue's store of one `describe` block. */
export type TestQueueBackend = {
  readonly kind: 'redis' | 'postgres';
  /** `QUEUE_URL`. Only inside tests and hooks: the store is made in `beforeAll`. */
  url(): string;
  readonly prefix: string;
};

/**
 * Describes the same behaviour over both stores of the queue, each fresh. PostgreSQL is a migrated database, entered
 * as the queue's role; with `prepare` it is an empty one, entered as admin, that `prepare` has to migrate.
 */
export function onBothQueueBackends(
  name: string,
  fn: (backend: TestQueueBackend) => void,
  options: { prepare?: (url: string) => Promise<void> } = {},
): void {
  describe.each(['redis', 'postgres'] as const)(`${name} (%s)`, (kind) => {
    let url: string | undefined;
    let database: TestDatabase | undefined;
    beforeAll(async () => {
      if (kind === 'postgres') database = await testDatabase({ migrated: !options.prepare });
      url = database ? (options.prepare ? database.adminUrl : database.urls.queue) : await testRedisUrl();
      await options.prepare?.(url);
    }, 120_000);
    fn({ kind, prefix: testPrefix(), url: () => url ?? fail() });
    // After the hooks of `fn`, which run in the order in which they are defined: its clients are still connected.
    afterAll(() => database?.close());
  });
}

function fail(): never {
  throw new Error('the queue’s store is there only inside tests and hooks');
}
