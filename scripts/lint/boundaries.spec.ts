import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { fixtures } from './fixtures.ts';

type Said = { ruleId: string | null; message: string }[];

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);

/** With CI set, typescript-eslint reads each file once from disk, and so not the fixtures in their places. */
const singleRunOff = { NX_DAEMON: 'false', CI: '', TSESTREE_SINGLE_RUN: 'false' };

/** In a process of its own: ESLint and Nx load what Jest's module system does not. */
describe('lint refuses', () => {
  let said: Said[];
  beforeAll(async () => {
    const options = { cwd: root, maxBuffer: 1e8, env: { ...process.env, ...singleRunOff } };
    await run(process.execPath, ['scripts/lint/project-graph.ts'], options);
    const { stdout } = await run(process.execPath, ['scripts/lint/lint-fixtures.ts'], options);
    said = JSON.parse(stdout.slice(stdout.indexOf('[['))) as Said[];
  }, 240_000);

  it.each(fixtures.map((fixture, index) => ({ ...fixture, index, begins: fixture.code.slice(0, 60) })))(
    '$rule: $file, $begins',
    ({ index, rule, says }) => {
      const found = said[index]?.filter(({ ruleId }) => ruleId === rule) ?? [];
      expect(found.map(({ message }) => message)).toContainEqual(expect.stringMatching(says ?? /./));
    },
  );
});
