import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { spawnGuarded } from './guarded-process.ts';

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** A program that says its number and sleeps. */
const sleeper = ['-c', 'echo $$; exec sleep 60'];

describe('a guarded process', () => {
  it('ends when asked, and its folder goes', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'switchyard-guarded-'));
    let output = '';
    const guarded = spawnGuarded('/bin/sh', sleeper, {
      removeAfter: folder,
      onOutput: (text) => (output += text),
    });
    await eventually(() => /\d+\n/.test(output));
    await guarded.stop();
    expect(guarded.hasEnded()).toBe(true);
    expect(isAlive(Number(output))).toBe(false);
    expect(existsSync(folder)).toBe(false);
  });

  it('tells its exit code', async () => {
    expect(await spawnGuarded('/bin/sh', ['-c', 'exit 7']).ended).toBe(7);
  });

  it('ends with its starter, even when that is killed', async () => {
    const module = join(import.meta.dirname, 'guarded-process.ts');
    const script = `const { spawnGuarded } = await import(${JSON.stringify(module)});
      spawnGuarded('/bin/sh', ${JSON.stringify(sleeper)}, { onOutput: (text) => process.stdout.write(text) });`;
    const starter = spawn(process.execPath, ['--input-type=module', '--no-warnings', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [text] = (await once(starter.stdout, 'data')) as [Buffer];
    const pid = Number(text.toString());
    expect(isAlive(pid)).toBe(true);
    starter.kill('SIGKILL');
    await eventually(() => !isAlive(pid));
  });
});
