import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { workspaceRoot } from '../workspace-root.js';
import { startConformanceUpstream } from './start-conformance-upstream.js';
import type { FixtureUpstream } from './start-fixture-upstream.js';

const suite = join(workspaceRoot(), 'node_modules/@modelcontextprotocol/conformance/dist/index.js');

describe('the MCP conformance suite, directly at its fixture', () => {
  let upstream: FixtureUpstream;
  beforeAll(async () => {
    upstream = await startConformanceUpstream({ prefix: 'test_' });
  });
  afterAll(() => upstream.close());

  /* Exits with 0 if and only if every scored scenario of the revision passes. */
  it.each(['2025-11-25', '2026-07-28'])(
    'passes every scenario that %s requires of servers',
    async (revision) => {
      const args = [suite, 'server', '--url', upstream.url, '--requirements', revision];
      await promisify(execFile)(process.execPath, args, { timeout: 120_000, maxBuffer: 1e8 }).catch(
        (failed: { stdout: string; stderr: string }) => {
          throw new Error(`${failed.stdout}${failed.stderr}`.slice(-12_000));
        },
      );
    },
    150_000,
  );
});
