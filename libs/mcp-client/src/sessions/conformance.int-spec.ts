import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { compileProjects, workspaceRoot } from '@switchyard/testing';

const root = workspaceRoot();
const suite = join(root, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');
const here = join(root, 'libs/mcp-client/test');
const client = `${process.execPath} ${join(here, 'conformance-client.mjs')}`;
const limitMs = 300_000;
/** The suite starts a client for each of its forty scenarios at once: on a busy machine each gets a sliver of it. */
const clientLimitMs = 240_000;

type Verdict = { exitCode: number; output: string };

/** Runs the scenarios that a revision requires of clients, and those named by further arguments. */
async function run(...args: string[]): Promise<Verdict> {
  const work = promisify(execFile)(
    process.execPath,
    [suite, 'client', '--command', client, '--timeout', String(clientLimitMs), ...args],
    {
      cwd: root,
      timeout: limitMs,
      maxBuffer: 1e8,
    },
  );
  return work.then(
    ({ stdout, stderr }) => ({ exitCode: 0, output: stdout + stderr }),
    (failed: { code?: number; stdout: string; stderr: string }) => ({
      exitCode: failed.code ?? 1,
      output: failed.stdout + failed.stderr,
    }),
  );
}

function passed({ output }: Verdict): string[] {
  const summary = output.slice(Math.max(0, output.indexOf('SUMMARY ===')));
  return [...summary.matchAll(/^✓ ([\w/-]+): \d+ passed, 0 failed/gmu)].map(([, name]) => String(name));
}

const inBoth = [
  'tools_call',
  'auth/metadata-default',
  'auth/metadata-var1',
  'auth/metadata-var2',
  'auth/metadata-var3',
  'auth/basic-cimd',
  'auth/scope-from-www-authenticate',
  'auth/scope-from-scopes-supported',
  'auth/scope-omitted-when-undefined',
  'auth/scope-step-up',
  'auth/scope-retry-limit',
  'auth/token-endpoint-auth-basic',
  'auth/token-endpoint-auth-post',
  'auth/token-endpoint-auth-none',
  'auth/pre-registration',
];
const promised = {
  '2025-11-25': [...inBoth, 'initialize', 'sse-retry', 'elicitation-sep1034-client-defaults'],
  '2026-07-28': [
    ...inBoth,
    'auth/resource-mismatch',
    'auth/offline-access-scope',
    'auth/offline-access-not-supported',
    'auth/authorization-server-migration',
    'auth/iss-supported',
    'auth/iss-not-advertised',
    'auth/iss-supported-missing',
    'auth/iss-wrong-issuer',
    'auth/iss-unexpected',
    'auth/iss-normalized',
    'auth/metadata-issuer-mismatch',
    'request-metadata',
    'sep-2322-client-request-state',
    'http-standard-headers',
    'http-custom-headers',
    'http-invalid-tool-headers',
    'json-schema-ref-no-deref',
  ],
} as const;

beforeAll(() => compileProjects('libs/contracts', 'libs/mcp-client'));

describe('the MCP conformance suite, with our client and the broker’s OAuth', () => {
  describe.each(['2025-11-25', '2026-07-28'] as const)('of %s', (revision) => {
    let verdict: Verdict;
    beforeAll(async () => {
      const baseline = join(here, `conformance-baseline-${revision}.yml`);
      verdict = await run('--requirements', revision, '--expected-failures', baseline);
    }, limitMs);

    it('finds nothing that the baseline does not name, and nothing there that passes', () => {
      if (verdict.exitCode !== 0) throw new Error(verdict.output.slice(-8_000));
    });

    it.each(promised[revision])('passes %s', (scenario) => {
      expect(passed(verdict)).toContain(scenario);
    });
  });

  it.each(['auth/client-credentials-basic', 'auth/2025-03-26-oauth-metadata-backcompat'])(
    'passes the optional %s',
    async (scenario) => {
      const { output } = await run('--scenario', scenario, '--force');
      expect(output).toMatch(/ 0 failed/);
    },
    limitMs,
  );
});
