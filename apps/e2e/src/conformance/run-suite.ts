import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { workspaceRoot } from '@switchyard/testing';

/** What the suite says of one scenario. */
export type ScenarioResult = { readonly name: string; readonly passed: boolean };

export type SuiteResult = {
  readonly exitCode: number;
  readonly scenarios: ScenarioResult[];
  readonly output: string;
};

const suite = 'node_modules/@modelcontextprotocol/conformance/dist/index.js';
const limitMs = 180_000;

/** Runs the MCP conformance suite against a server, with further arguments of its command line. */
export async function runSuite(url: string, args: readonly string[]): Promise<SuiteResult> {
  const child = spawn(process.execPath, [suite, 'server', '--url', url, ...args], { cwd: workspaceRoot() });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const limit = setTimeout(() => child.kill('SIGKILL'), limitMs);
  const [exitCode] = (await once(child, 'exit')) as [number | null];
  clearTimeout(limit);
  return { exitCode: exitCode ?? 1, scenarios: readSummary(output), output };
}

function readSummary(output: string): ScenarioResult[] {
  const summary = output.slice(Math.max(0, output.indexOf('=== SUMMARY ===')));
  return [...summary.matchAll(/^\s*([✓✗]) ([\w-]+): \d+ passed/gmu)].map(([, mark, name]) => ({
    name: String(name),
    passed: mark === '✓',
  }));
}
