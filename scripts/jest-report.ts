/** What a run of Jest left in its `--json` report: how many tests passed and failed, and why. */
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

export type Counts = { passed: number; failed: number };
export type Outcome = Counts & { failures: string[] };

type Test = { status: string; fullName: string; failureMessages: string[] };
type File = { name: string; message: string; assertionResults: Test[] };
type Report = {
  numPassedTests: number;
  numFailedTests: number;
  numRuntimeErrorTestSuites: number;
  testResults: File[];
};

/** Lines of a failure that are shown: enough for the error and where it was thrown. */
const mostLines = 25;

/** A file that does not even load, and a run that leaves no report, count as one failed test. */
export function readJestReport(path: string, root: string): Outcome {
  if (!existsSync(path)) return { passed: 0, failed: 1, failures: ['the run left no report'] };
  const report = JSON.parse(readFileSync(path, 'utf8')) as Report;
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + report.numRuntimeErrorTestSuites,
    failures: report.testResults.flatMap((file) => failuresOf(file, relative(root, file.name))),
  };
}

/** What several tests of a file failed by, such as a hook before all of them, is said once. */
function failuresOf(file: File, name: string): string[] {
  const failed = file.assertionResults.filter(({ status }) => status === 'failed');
  if (failed.length === 0 && file.message) return [`${name}\n${firstLines(file.message)}`];
  const said = new Set<string>();
  return failed.map(({ fullName, failureMessages }) => {
    const unsaid = failureMessages.map(firstLines).filter((message) => !said.has(message));
    unsaid.forEach((message) => said.add(message));
    return [`${name}: ${fullName}`, ...unsaid].join('\n');
  });
}

function firstLines(message: string): string {
  const lines = stripVTControlCharacters(message).trim().split('\n');
  return lines
    .slice(0, mostLines)
    .map((line) => `    ${line}`)
    .join('\n');
}
