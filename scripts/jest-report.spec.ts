import { afterAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readJestReport } from './jest-report.ts';

const folder = mkdtempSync(join(tmpdir(), 'jest-report-'));
afterAll(() => rmSync(folder, { recursive: true }));

const failed = (fullName: string, ...failureMessages: string[]) => ({
  ...{ status: 'failed', fullName, failureMessages },
});

function read(testResults: object[], counts: object = {}) {
  const path = join(folder, 'report.json');
  const none = { numPassedTests: 0, numFailedTests: 0, numRuntimeErrorTestSuites: 0 };
  writeFileSync(path, JSON.stringify({ ...none, ...counts, testResults }));
  return readJestReport(path, '/root');
}

describe('the report of a run', () => {
  it('counts tests, and a file that does not load as one', () => {
    const counts = { numPassedTests: 3, numFailedTests: 1, numRuntimeErrorTestSuites: 1 };
    expect(read([], counts)).toEqual({ passed: 3, failed: 2, failures: [] });
  });

  it('is one failure where there is none', () => {
    const none = readJestReport(join(folder, 'absent.json'), '/root');
    expect(none).toEqual({ passed: 0, failed: 1, failures: ['the run left no report'] });
  });

  it('says by file and test why it failed, without colours, and once what several failed by', () => {
    const tests = [
      { status: 'passed', fullName: 'is well', failureMessages: [] },
      failed('a', '\u001B[31mno start\u001B[39m'),
      failed('b', 'no start', 'and more'),
    ];
    const { failures } = read([{ name: '/root/apps/x.spec.ts', message: 'all', assertionResults: tests }]);
    expect(failures).toEqual(['apps/x.spec.ts: a\n    no start', 'apps/x.spec.ts: b\n    and more']);
  });

  it('says why a file did not load', () => {
    const { failures } = read([{ name: '/root/y.spec.ts', message: 'no module', assertionResults: [] }]);
    expect(failures).toEqual(['y.spec.ts\n    no module']);
  });
});
