import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { eventually, onBothQueueBackends, workspaceRoot } from '@switchyard/testing';
import { buildRunner } from '../runner-harness-spec.js';
import { ChatHarness } from './chat-harness-spec.js';

const fixture = join(workspaceRoot(), 'apps/agent-runner/test-fixtures/crashing-runner.mjs');

onBothQueueBackends('a chat whose runner is killed', (backend) => {
  let harness: ChatHarness;
  let child: ChildProcess | undefined;

  beforeAll(async () => {
    buildRunner();
    harness = await ChatHarness.open(backend);
  }, 120_000);
  afterAll(async () => {
    child?.kill('SIGKILL');
    await harness.close();
  });

  it('in the middle of an answer goes on at another, and the client has what that one says', async () => {
    const { runs } = harness;
    runs.script([
      { times: 1, answer: { text: 'half of what is never finished '.repeat(30), chunk_delay_ms: 60 } },
      { answer: { text: 'The whole answer.', chunk_delay_ms: 20 } },
    ]);
    const agent = await harness.addAgent();
    const env = { PATH: process.env.PATH, ...runs.env({ CRASH_AT: '1000000' }) };
    child = fork(fixture, { env, execArgv: [], silent: true });
    // It alone takes the run; the process that serves the client comes later.
    const conversationId = randomUUID();
    const userId = await harness.userId('ada');
    const caller = runs.caller({ userId, agentId: agent.id });
    const runId = await runs.start(agent, 'go', { caller, conversationId });
    await runs.reaches(runId, 'running', 60_000);
    const runner = await harness.startRunner();
    const chat = await harness.chat(runner, agent, { id: conversationId });
    const resumed = chat.resumeStream();
    await eventually(() => chat.text.includes('half of what'));
    child.kill('SIGKILL');
    await resumed;
    expect(chat.error).toBeUndefined();
    expect(chat.text).toBe('The whole answer.');
    expect(chat.answer).toMatchObject({ id: runId, metadata: { status: 'completed' } });
    expect(runs.model.requests()).toHaveLength(2);
  }, 120_000);
});
