/** `npm run check`: types, lint with the boundaries, and generated pages that are current. All are run, then judged. */
import { isMain, runSteps, type Step } from './steps.ts';

export const checks: Step[] = [
  { name: 'build', command: ['scripts/build.ts'] },
  { name: 'types', command: ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'] },
  { name: 'project graph', command: ['scripts/lint/project-graph.ts'] },
  { name: 'lint and boundaries', command: ['node_modules/eslint/bin/eslint.js', '.'] },
  { name: 'generated pages', command: ['scripts/reference.ts', '--check'] },
];

if (isMain(import.meta.url)) process.exitCode = (await runSteps(checks)) ? 0 : 1;
