import { execFile } from 'node:child_process';
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

beforeAll(async () => {
  await promisify(execFile)(process.execPath, ['scripts/build.ts'], { cwd: workspaceRoot() });
  const url = await testRedisUrl();
  harness = await DispatchHarness.open({ kind: 'redis', url: () => url });
  upstream = await startAskingUpstream({ era: 'legacy' });
}, 120_000);
afterAll(async () => {
  await harness.close();
  await upstream.close();
}, 60_000);

/** A call that has asked its question when its worker is killed, and what becomes of it. */
async function orphan(slug: string, annotations: Record<string, boolean>, ledgerFirst = false) {
  const wires = upstream.tools().map(({ wire }) => ({ ...wire, annotations }));
  const id = await harness.insertIntegration(slug, { type: 'http', url: upstream.url }, wires);
  const doomed = await harness.spawnWorker();
  const client = { capabilities: { elicitation: {} }, activeMs: 60_000 };
  const job = harness.job(id, `${slug}_ask_form`, {}, { client, deadlineMs: 600_000, ledgerFirst });
  if (ledgerFirst) await harness.accept(job);
  const questions: string[] = [];
  const outcome = harness.send(job, (event) => {
    if ((event as ToolCallEvent).kind === 'question') questions.push('asked');
  });
  await eventually(() => questions.length === 1, { timeoutMs: 30_000 });
  doomed.kill('SIGKILL');
  await once(doomed, 'exit');
  return { id, outcome, questions };
}

it('a worker that is killed while its call asks leaves an unsafe call unknown, and asks nobody again', async () => {
  const asked = upstream.callsOf('ask_form').length;
  const { outcome, questions } = await orphan('up', {});
  const heir = await harness.startWorker();
  expect(await outcome).toMatchObject({
    status: 'outcome_unknown',
    error: { details: { reason: 'worker_lost' } },
  });
  expect(questions).toHaveLength(1);
  expect(upstream.callsOf('ask_form')).toHaveLength(asked + 1);
  await heir.close();
}, 90_000);

it('a safe call of a killed worker whose tool is gone since has failed: it is not unknown, for it changed nothing', async () => {
  const { id, outcome } = await orphan('limited', { readOnlyHint: true }, true);
  await harness.sql.query('DELETE FROM catalog.external_mcp_tools WHERE integration_id = $1', [id]);
  await harness.sql.query('UPDATE catalog.version SET version = version + 1');
  await harness.startWorker();
  expect(await outcome).toMatchObject({ status: 'failed', error: { code: 'tool_not_found' } });
}, 90_000);
