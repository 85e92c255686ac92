import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { workspaceRoot } from '../workspace-root.js';
import { compileProjects } from './compile-projects.js';

/** A fixture upstream in a process of its own. */
export type SpawnedUpstream = {
  url: string;
  port: number;
  pid: number;
  /** SIGKILL by default: what a crash looks like to its clients. Settles when the process has ended. */
  kill: (signal?: NodeJS.Signals) => Promise<void>;
  /** Steers it (`fixture-control.ts`). */
  control: (action: string, body?: unknown) => Promise<unknown>;
};

/** Starts `fixture-upstream` with the given command line, `['--port', '9001']` for instance. It ends with this process at the latest. */
export async function spawnFixtureUpstream(args: string[] = []): Promise<SpawnedUpstream> {
  const root = workspaceRoot();
  await compileProjects('libs/testing');
  const script = join(root, 'libs/testing/dist/src/upstreams/fixture-upstream.js');
  const child = spawn(process.execPath, [script, '--end-with-stdin', ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const [url] = (await Promise.race([
    once(lines, 'line'),
    ended.then(() => Promise.reject(new Error('the fixture upstream did not start'))),
  ])) as [string];
  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    child.kill(signal);
    await ended;
  };
  const control = async (action: string, body?: unknown): Promise<unknown> => {
    const method = action === 'calls' ? 'GET' : 'POST';
    const answer = await fetch(new URL(`/_fixture/${action}`, url), {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return answer.json();
  };
  return { url, port: Number(new URL(url).port), pid: child.pid!, kill, control };
}
