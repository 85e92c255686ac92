import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { KeptProcess } from './kept-process.ts';

it('a kept process is started again when it dies, and ends for good when asked', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-kept-'));
  const [script, log] = [join(folder, 'program.mjs'), join(folder, 'log')];
  writeFileSync(script, 'console.log(process.pid); setInterval(() => undefined, 1000);');
  const kept = new KeptProcess([script], log);
  const pids = () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').map(Number) : []);
  await eventually(() => pids().length === 1);
  process.kill(pids()[0] ?? 0, 'SIGKILL');
  await eventually(() => pids().length === 2);
  await kept.stop();
  expect(() => process.kill(pids()[1] ?? 0, 0)).toThrow();
  rmSync(folder, { recursive: true });
});
