import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { ToolCallEvent } from '@switchyard/contracts';
import {
  eventually,
  type FixtureUpstream,
  startAskingUpstream,
  testRedisUrl,
  workspaceRoot,
} from '@switchyard/testing';
import { DispatchHarness } from '../dispatch-harness-spec.js';

let harness: DispatchHarness;
let upstream: FixtureUpstream;
let child: ChildProcess | undefined;

/** A worker as a process of its own, that can be killed. */
async function spawnWorker(): Promise<ChildProcess> {
  const root = workspaceRoot();
  await promisify(execFile)(process.execPath, ['scripts/build.ts'], { cwd: root });
  const env = { ...harness.env({ LOG_LEVEL: 'info' }), PATH: process.env.PATH };
  child = spawn(process.execPath, ['apps/dispatch/dist/src/main.js'], { cwd: root, env });
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
  await eventually(() => output.includes('"ready"'), { timeoutMs: 30_000 });
  return child;
}

beforeAll(async () => {
  const url = await testRedisUrl();
  harness = await DispatchHarness.open({ kind: 'redis', url: () => url });
  upstream = await startAskingUpstream({ era: 'legacy' });
}, 120_000);
afterAll(async () => {
  child?.kill('SIGKILL');
  await harness.close();
  await upstream.close();
}, 60_000);

it('a worker that is killed while its call asks leaves an unsafe call unknown, and asks nobody again', async () => {
  const wires = upstream.tools().map(({ wire }) => wire);
  const id = await harness.insertIntegration('up', { type: 'http', url: upstream.url }, wires);
  const doomed = await spawnWorker();
  const client = { capabilities: { elicitation: {} }, activeMs: 60_000 };
  const job = harness.job(id, 'up_ask_form', {}, { client, deadlineMs: 600_000 });
  const questions: string[] = [];
  const outcome = harness.send(job, (event) => {
    if ((event as ToolCallEvent).kind === 'question') questions.push('asked');
  });
  await eventually(() => questions.length === 1, { timeoutMs: 30_000 });
  doomed.kill('SIGKILL');
  await once(doomed, 'exit');
  await harness.startWorker();
  expect(await outcome).toMatchObject({
    status: 'outcome_unknown',
    error: { details: { reason: 'worker_lost' } },
  });
  expect(questions).toHaveLength(1);
  expect(upstream.callsOf('ask_form')).toHaveLength(1);
}, 90_000);
