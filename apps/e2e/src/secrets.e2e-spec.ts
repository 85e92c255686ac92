import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { privateRedis, type TestDatabase, testDatabase } from '@switchyard/testing';
import { findCanaries } from './secrets/find-canaries.js';
import { readLogs, readMetrics } from './secrets/read-outputs.js';
import { watchDatabase, watchRedis, type Watch } from './secrets/watch-stores.js';
import {
  type Answers,
  canaries,
  runThroughEverything,
  secretFixtureEntry,
} from './secrets/run-through-everything.js';
import { runThroughAgents } from './secrets/run-through-agents.js';
import { runThroughIdentity } from './secrets/run-through-identity.js';
import { Switchyard } from './harness/switchyard.js';

jest.setTimeout(180_000);

describe.each(['redis', 'postgres'] as const)(
  'after a run through success and failure (queue on %s)',
  (kind) => {
    let database: TestDatabase;
    let switchyard: Switchyard;
    let redis: Awaited<ReturnType<typeof privateRedis>> | undefined;
    let watches: Record<string, Watch>;
    let answers: Answers;
    let secrets: Record<string, string>;
    let kinds: Set<string>;

    beforeAll(async () => {
      database = await testDatabase({ migrated: false });
      redis = kind === 'redis' ? await privateRedis() : undefined;
      switchyard = await Switchyard.start({
        env: { DATABASE_URL: database.adminUrl, LOG_LEVEL: 'trace' },
        queueUrl: redis?.url,
        allowlist: [secretFixtureEntry],
      });
      watches = {
        database: watchDatabase(database.adminUrl),
        ...(redis && { redis: await watchRedis(redis.url) }),
      };
      answers = await runThroughEverything(switchyard);
      const identity = await runThroughIdentity(switchyard);
      const agents = await runThroughAgents(switchyard);
      Object.assign(answers.texts, identity.texts, agents.texts);
      secrets = { ...canaries(switchyard, answers), ...identity.secrets, ...agents.secrets };
      kinds = new Set(Object.keys(identity.secrets).map((name) => name.split(' ')[0] as string));
      for (const watch of Object.values(watches)) await watch.stop();
    });
    afterAll(async () => {
      await switchyard?.stop();
      await redis?.stop();
      await database?.close();
    });

    it('the search finds what is there', () => {
      const texts = { seen: `… ${Buffer.from(`x${secrets['header']}`).toString('base64')} …` };
      expect(findCanaries(secrets, texts)).toContain('header (base64) in seen');
      expect(Object.keys(secrets).length).toBeGreaterThan(20);
      for (const kind of [
        'access_token',
        'refresh_token',
        'code',
        'code_verifier',
        'client_secret',
        'subject_token',
      ])
        expect([...kinds]).toContain(kind);
      for (const name of ['modelKey', 'givenWebhook', 'madeWebhook', 'chatToken'])
        expect(secrets[name]).toEqual(expect.any(String));
    });

    it('no secret is in a table, a job or a message of the stores', () => {
      const texts = Object.fromEntries(
        Object.entries(watches).map(([store, watch]) => [store, watch.text()]),
      );
      expect(texts['database']).toContain('canary-integration');
      expect(texts[kind === 'redis' ? 'redis' : 'database']).toContain('tool-calls-background');
      expect(findCanaries(secrets, texts)).toEqual([]);
    });

    it('no secret is in a log, the finest level included', () => {
      const logs = readLogs(switchyard);
      expect(logs).toContain('"level":"debug"');
      expect(findCanaries(secrets, { logs })).toEqual([]);
    });

    it('no secret is in the metrics', async () => {
      expect(findCanaries(secrets, { metrics: await readMetrics(switchyard) })).toEqual([]);
    });

    it('no secret is in an answer, but for a new key in the one that makes it', () => {
      expect(findCanaries(secrets, answers.texts)).toEqual([]);
    });
  },
);
