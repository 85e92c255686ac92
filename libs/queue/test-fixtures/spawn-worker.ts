import { workspaceRoot } from '@switchyard/testing';
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** What `worker-process.ts` tells. */
export type Taken = { taken: string; redelivered: boolean };

/** A worker in a process of its own. */
export type WorkerProcess = { taken: Taken[]; process: ChildProcess; kill(): Promise<void> };

/** Compiles what the process runs; for `beforeAll`. */
export function buildForWorkers(): void {
  const projects = ['libs/contracts', 'libs/service-kit', 'libs/queue'];
  execFileSync(process.execPath, ['scripts/build.ts', ...projects], { cwd: workspaceRoot() });
}

/** Starts a worker and resolves once it consumes. */
export async function spawnWorker(
  store: { url(): string; prefix: string },
  what: 'hang' | 'answer',
): Promise<WorkerProcess> {
  const file = join(workspaceRoot(), 'libs/queue/test-fixtures/worker-process.ts');
  const child = fork(file, [store.url(), store.prefix, what], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const taken: Taken[] = [];
  const ready = Promise.withResolvers<void>();
  child.on('message', (message: Taken | { ready: true }) =>
    'ready' in message ? ready.resolve() : taken.push(message),
  );
  child.on('exit', () => ready.reject(new Error('the worker process ended before it was ready')));
  await ready.promise;
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return { taken, process: child, kill };
}
