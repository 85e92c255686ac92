import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, workspaceRoot } from '@switchyard/testing';
import type { ReadyMessage } from './run-service.js';

const root = workspaceRoot();
const fixture = join(root, 'libs/service-kit/test-fixtures/trivial-service.mjs');
const env = {
  TRIVIAL_PORT: '0',
  TRIVIAL_OPS_PORT: '0',
  QUEUE_URL: 'redis://nobody',
  SWITCHYARD_SEAL_KEY: 'canary-seal-key-of-enough-characters',
};

type Started = { child: ChildProcess; ready: ReadyMessage; output: () => string; exit: Promise<unknown[]> };
const children: ChildProcess[] = [];

function spawnService(extra: NodeJS.ProcessEnv = {}) {
  const child = fork(fixture, {
    env: { PATH: process.env.PATH, ...env, ...extra },
    execArgv: [],
    silent: true,
  });
  children.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  return { child, output: () => output, exit: once(child, 'exit') };
}

async function startTrivial(extra: NodeJS.ProcessEnv = {}): Promise<Started> {
  const service = spawnService(extra);
  const [ready] = (await once(service.child, 'message')) as [ReadyMessage];
  return { ...service, ready };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

beforeAll(() => {
  execFileSync(process.execPath, ['scripts/build.ts', 'libs/contracts', 'libs/service-kit'], { cwd: root });
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

describe('a service as a process', () => {
  it('tells its supervisor its ports, and answers on them', async () => {
    const { ready } = await startTrivial();
    expect(ready).toMatchObject({ ready: true, name: 'trivial' });
    expect((await fetch(`http://127.0.0.1:${ready.httpPort}/hello`)).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${ready.opsPort}/readyz`)).status).toBe(200);
  });

  it('on SIGTERM answers what runs, turns unready, closes in order and exits with 0', async () => {
    const { child, ready, output, exit } = await startTrivial();
    const slow = fetch(`http://127.0.0.1:${ready.httpPort}/slow`).then((answer) => answer.json());
    await eventually(() => output().includes('slow request begun'));
    child.kill('SIGTERM');
    await eventually(async () => (await fetch(`http://127.0.0.1:${ready.opsPort}/readyz`)).status === 503);
    expect(await slow).toEqual({ slow: 'done' });
    expect((await exit)[0]).toBe(0);
    expect(output().match(/step: .*/g)).toEqual([
      'step: stop taking',
      'step: close last registered',
      'step: close first registered',
    ]);
  });

  it('leaves Ctrl-C to its supervisor', async () => {
    const { child, ready } = await startTrivial();
    child.kill('SIGINT');
    expect((await fetch(`http://127.0.0.1:${ready.httpPort}/slow`)).status).toBe(200);
    expect(child.exitCode).toBeNull();
  });

  it('ends when its supervisor is gone', async () => {
    const { child, exit } = await startTrivial();
    child.disconnect();
    expect((await exit)[0]).toBe(0);
  });

  it('ends when its supervisor was killed, although nobody reads its log any more', async () => {
    const supervisor = spawn(
      process.execPath,
      [join(root, 'libs/service-kit/test-fixtures/supervisor.mjs'), fixture],
      {
        env: { PATH: process.env.PATH, ...env },
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    const [pid] = (await once(supervisor.stdout, 'data')) as [Buffer];
    supervisor.kill('SIGKILL');
    await eventually(() => !isAlive(Number(pid.toString())));
  });

  it('is cut off when it does not drain', async () => {
    const { child, exit, output } = await startTrivial({ TRIVIAL_HANGS: '1' });
    child.disconnect();
    expect((await exit)[0]).toBe(1);
    expect(output()).toContain('draining was cut off');
  });

  it('says all that is wrong with its settings and exits with 1, without a value', async () => {
    const { exit, output } = spawnService({ TRIVIAL_PORT: 'canary-port', SWITCHYARD_SEAL_KEY: 'canary' });
    expect((await exit)[0]).toBe(1);
    expect(output()).toContain('TRIVIAL_PORT');
    expect(output()).toContain('SWITCHYARD_SEAL_KEY');
    expect(output()).not.toContain('canary');
  });

  it('exits with 1 and says why when its port is taken', async () => {
    const { ready } = await startTrivial();
    const { exit, output } = spawnService({ TRIVIAL_PORT: String(ready.httpPort) });
    expect((await exit)[0]).toBe(1);
    expect(output()).toContain('EADDRINUSE');
  });
});
