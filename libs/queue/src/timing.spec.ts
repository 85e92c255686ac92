import { readFile } from 'node:fs/promises';
import { setTimeout as after } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { workspaceRoot } from '@switchyard/testing';
import { settledWithin, withinLimit } from './timing.js';

const never = () => new Promise<never>(() => undefined);
const late = () => new Error('late');
/** Nothing of this process runs meanwhile. */
const stall = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
const answer = () => readFile(`${workspaceRoot()}/package.json`, 'utf8');

describe('a limit', () => {
  it('ends what takes longer', async () => {
    await expect(withinLimit(never(), 50, late)).rejects.toThrow('late');
    expect(await settledWithin(never(), 50)).toBe(false);
  });

  it('lets pass what is done or has failed in time', async () => {
    expect(await withinLimit(after(1, 'done'), 5_000, late)).toBe('done');
    await expect(withinLimit(Promise.reject(new Error('no')), 5_000, late)).rejects.toThrow('no');
    expect(await settledWithin(Promise.reject(new Error('no')), 5_000)).toBe(true);
  });

  it('is none for an answer that came while this process was kept from reading it', async () => {
    const answers = [withinLimit(answer(), 500, late), settledWithin(answer(), 500)];
    stall(1_000);
    const [read, isSettled] = await Promise.all(answers);
    expect([read, isSettled]).toEqual([expect.stringContaining('switchyard'), true]);
  });
});
