import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { ReadyMessage } from '@switchyard/service-kit';
import { onBothQueueBackends, workspaceRoot } from '@switchyard/testing';
import { buildRunner, RunnerHarness } from './runner-harness-spec.js';

onBothQueueBackends('the service', (backend) => {
  let harness: RunnerHarness;
  beforeAll(async () => {
    buildRunner();
    harness = await RunnerHarness.open(backend);
  }, 120_000);
  afterAll(() => harness.close());

  it('starts by itself, is ready, and ends when it is told to', async () => {
    const child = fork(join(workspaceRoot(), 'apps/agent-runner/dist/src/main.js'), {
      env: { PATH: process.env.PATH, ...harness.env() },
      execArgv: [],
      silent: true,
    });
    const exit = once(child, 'exit');
    const [ready] = (await once(child, 'message')) as [ReadyMessage];
    expect(ready).toMatchObject({ ready: true, name: 'agent-runner' });
    expect((await fetch(`http://127.0.0.1:${ready.opsPort}/readyz`)).status).toBe(200);
    child.kill('SIGTERM');
    expect((await exit)[0]).toBe(0);
  });
});
