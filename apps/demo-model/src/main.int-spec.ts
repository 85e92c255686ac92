import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { compileProjects, workspaceRoot } from '@switchyard/testing';

const apiKey = 'sk-canary-f8a1c07d93e2b654';
const children: ChildProcess[] = [];

beforeAll(() => compileProjects('apps/demo-model', 'libs/demo-model', 'libs/service-kit', 'libs/contracts'));
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function run(env: NodeJS.ProcessEnv, args: string[] = []) {
  const child = fork(join(workspaceRoot(), 'apps/demo-model/dist/src/main.js'), args, {
    env: { PATH: process.env.PATH, ...env },
    execArgv: [],
    silent: true,
  });
  children.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  return { child, output: () => output, exit: once(child, 'exit') };
}

async function started(args: string[] = []) {
  const service = run({ DEMO_MODEL_API_KEY: apiKey }, args);
  const [ready] = await once(service.child, 'message');
  return { ...service, origin: `http://127.0.0.1:${(ready as { httpPort: number }).httpPort}` };
}

describe('the demonstration model as a process', () => {
  it('serves its model, shows no key, and ends on SIGTERM', async () => {
    const { origin, child, exit, output } = await started();
    const models = await fetch(`${origin}/v1/models`, { headers: { authorization: `Bearer ${apiKey}` } });
    expect(await models.json()).toMatchObject({ data: [{ id: 'demo-1' }] });
    expect((await fetch(`${origin}/control/requests`)).status).toBe(401);
    child.kill('SIGTERM');
    expect(await exit).toEqual([0, null]);
    expect(output()).toContain('not a language model');
    expect(output()).not.toContain(apiKey);
  });

  it('takes a script only when started with --scripted', async () => {
    const { origin } = await started(['--scripted']);
    const script = JSON.stringify({ turns: [{ answer: { text: 'by script' } }] });
    expect((await fetch(`${origin}/control/reset`, { method: 'POST', body: script })).status).toBe(200);
    const answer = await fetch(`${origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}` },
      body: JSON.stringify({ model: 'scripted-1', messages: [{ role: 'user', content: 'go' }] }),
    });
    expect(await answer.json()).toMatchObject({ choices: [{ message: { content: 'by script' } }] });
  });

  it('does not start without a key', async () => {
    const { exit, output } = run({});
    expect(await exit).toEqual([1, null]);
    expect(output()).toContain('DEMO_MODEL_API_KEY is required');
  });
});
