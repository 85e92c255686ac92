/** Runs commands one after the other, each shown with its time; a failed one does not stop the others. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export const root = join(import.meta.dirname, '..');

/** `command`: a script for the Node that runs us, and its arguments. */
export type Step = { name: string; command: string[] };

let isStopping = false;

/** Gives whether all succeeded. */
export async function runSteps(steps: readonly Step[]): Promise<boolean> {
  const failed: string[] = [];
  for (const step of steps) if (!(await runStep(step))) failed.push(step.name);
  return failed.length === 0;
}

/** Gives whether it succeeded. Once somebody asked us to end, none begins any more. */
export async function runStep({ name, command }: Step): Promise<boolean> {
  if (isStopping) return false;
  process.stdout.write(`\n── ${name}\n`);
  const startedAt = Date.now();
  const child = spawn(process.execPath, command, { cwd: root, stdio: 'inherit' });
  const stop = (): void => {
    isStopping = true;
    child.kill('SIGTERM');
  };
  process.on('SIGTERM', stop);
  process.on('disconnect', stop);
  const [code] = (await once(child, 'exit')) as [number | null];
  process.off('SIGTERM', stop);
  process.off('disconnect', stop);
  process.stdout.write(
    `── ${name}: ${code === 0 ? 'ok' : 'FAILED'} (${((Date.now() - startedAt) / 1000).toFixed(1)} s)\n`,
  );
  return code === 0;
}

export function isMain(url: string): boolean {
  return url === pathToFileURL(process.argv[1] ?? '').href;
}
