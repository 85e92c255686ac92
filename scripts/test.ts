/** `npm test`: everything. `npm test -- unit integration` runs some of it. The last line counts the tests of all runs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checks } from './check.ts';
import { type Counts, readJestReport } from './jest-report.ts';
import { root, runStep, runSteps } from './steps.ts';

const jest = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];
/** End-to-end tests start whole installations: one at a time, or they wait for each other. */
const workers: Record<string, string> = { unit: '2', integration: '2', e2e: '1' };
const stages = ['check', ...Object.keys(workers)];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((stage) => !stages.includes(stage));
if (unknown.length > 0) {
  process.stderr.write(`npm test -- [${stages.join(' | ')}] …: there is no "${unknown.join(' ')}"\n`);
  process.exit(1);
}
const reports = mkdtempSync(join(tmpdir(), 'switchyard-reports-'));
let isGreen = true;
const total: Counts = { passed: 0, failed: 0 };
const allFailures: string[] = [];
if (wanted.length > 0 && !wanted.includes('check'))
  await runStep({ name: 'build', command: ['scripts/build.ts'] });
for (const stage of stages.filter((name) => wanted.length === 0 || wanted.includes(name))) {
  if (stage === 'check') isGreen = (await runSteps(checks)) && isGreen;
  else isGreen = (await runJest(stage)) && isGreen;
}
rmSync(reports, { recursive: true, force: true });
// Once more at the end, where whoever reads a long log looks first.
if (allFailures.length > 0) process.stdout.write(`\n── what failed\n${allFailures.join('\n\n')}\n`);
process.stdout.write(
  `\n${isGreen ? 'All green.' : 'Something failed; see above.'}\n${total.passed} passed, ${total.failed} failed\n`,
);
process.exitCode = isGreen ? 0 : 1;

async function runJest(project: string): Promise<boolean> {
  const report = join(reports, `${project}.json`);
  const options = [
    '--selectProjects',
    project,
    '--maxWorkers',
    workers[project] ?? '1',
    '--passWithNoTests',
    '--json',
    '--outputFile',
    report,
  ];
  const succeeded = await runStep({ name: `${project} tests`, command: [...jest, ...options] });
  const { passed, failed, failures } = readJestReport(report, root);
  total.passed += passed;
  total.failed += failed;
  allFailures.push(...failures);
  return succeeded && failed === 0;
}
