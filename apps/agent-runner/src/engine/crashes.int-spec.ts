import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { onBothQueueBackends, workspaceRoot } from '@switchyard/testing';
import { buildRunner, RunnerHarness } from '../runner-harness-spec.js';

const fixture = join(workspaceRoot(), 'apps/agent-runner/test-fixtures/crashing-runner.mjs');
/** A run has about 26 durable steps; a process that begins with what another left goes on into the next run. */
const lastStep = 32;
const atOnce = 4;

onBothQueueBackends('a runner that is killed', (backend) => {
  let harness: RunnerHarness;
  const children = new Set<ChildProcess>();
  // The steps are the same on both; the other backend shows that its redelivery does not matter.
  const stride = backend.kind === 'redis' ? 2 : 8;
  const points = Array.from({ length: lastStep / stride }, (_, n) => n * stride + 1);

  beforeAll(async () => {
    buildRunner();
    harness = await RunnerHarness.open(backend);
    await harness.addTools(['add', 'list', 'drop']);
    harness.script([
      {
        when: { step: 0 },
        answer: { tool_calls: [{ name: 'up_add' }, { name: 'up_list' }] },
      },
      { when: { step: 1 }, answer: { tool_calls: [{ name: 'up_drop' }] } },
      { when: { step: 2 }, answer: { text: 'Done: {{last_user}}' } },
    ]);
  }, 120_000);
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await harness.close();
  });

  /** Resolves when the process has killed itself. */
  async function crash(at: number): Promise<unknown> {
    const env = {
      PATH: process.env.PATH,
      ...harness.env({ CRASH_AT: String(at), AGENT_RUNNER_CONCURRENCY: '1' }),
    };
    const child = fork(fixture, { env, execArgv: [], silent: true });
    children.add(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    children.delete(child);
    if (signal !== 'SIGKILL') throw new Error(`it ended with ${code}: ${output}`);
    return signal;
  }

  it('between any two steps leaves a run that another goes on with: nothing asked again, no tool called twice', async () => {
    const agent = await harness.addAgent();
    const runIds: string[] = [];
    for (const n of points.keys()) runIds.push(await harness.start(agent, `run ${n}.`));
    const left = [...points];
    const take = async (): Promise<void> => {
      for (let at = left.shift(); at !== undefined; at = left.shift()) await crash(at);
    };
    await Promise.all(Array.from({ length: atOnce }, take));

    await harness.startRunner();
    for (const [n, runId] of runIds.entries()) {
      const { run, steps, calls } = await harness.ended(runId, 60_000);
      expect(run).toMatchObject({ state: 'completed', output: { text: `Done: run ${n}.` } });
      expect(steps).toHaveLength(3);
      expect(calls.map(({ outwardName, state }) => [outwardName, state])).toEqual([
        ['up_add', 'ended'],
        ['up_list', 'ended'],
        ['up_drop', 'ended'],
      ]);
    }
    // Every call reached its tool once: those of the runs' durable answers, and no others.
    const made = await harness.sql.query<{ call_id: string }>('SELECT call_id FROM runs.run_calls');
    expect(harness.sent.map(({ sealed }) => sealed.call.callId).sort()).toEqual(
      made.map(({ call_id }) => call_id).sort(),
    );
    const late = (await Promise.all(runIds.map(askedAfterStored))).flat();
    expect(late).toEqual([]);
  }, 240_000);

  /** Requests for a step whose answer was durable already. */
  async function askedAfterStored(runId: string, n: number): Promise<unknown[]> {
    const ends = await harness.sql.query<{ position: number; ended_at: Date }>(
      'SELECT position, ended_at FROM runs.run_steps WHERE run_id = $1',
      [runId],
    );
    return harness.model.requests().filter(({ messages, at }) => {
      if (!messages.some(({ role, content }) => role === 'user' && content === `run ${n}.`)) return false;
      const step = messages.filter(({ role }) => role === 'assistant').length;
      const end = ends.find(({ position }) => position === step)?.ended_at;
      return end === undefined || Date.parse(at) > end.getTime();
    });
  }
});
