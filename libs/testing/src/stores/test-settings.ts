/** What the global set-up tells the tests, which run in processes of their own. */
export type TestSettings = { databaseUrl: string; redisUrl: string; redisDatabases: number };

/** Reads the stores' addresses. Throws when the tests run without the set-up that starts them. */
export function testSettings(env: NodeJS.ProcessEnv = process.env): TestSettings {
  const { TEST_DATABASE_URL: databaseUrl, TEST_REDIS_URL: redisUrl } = env;
  if (!databaseUrl || !redisUrl) {
    throw new Error(
      'No test stores: only the projects "integration" and "e2e" of jest.config.mjs start them (libs/testing/jest/global-setup.mjs).',
    );
  }
  return { databaseUrl, redisUrl, redisDatabases: Number(env.TEST_REDIS_DATABASES ?? 0) };
}
