import { describe, expect, it } from '@jest/globals';
import { setTimeout as after } from 'node:timers/promises';
import { calmMsOf } from './calm-ms-of.js';

const blockFor = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

describe('calmMsOf', () => {
  it('counts time that passes, never more than passed', async () => {
    const startedAt = performance.now();
    const calm = await calmMsOf(() => after(300));
    expect(calm).toBeGreaterThan(0);
    expect(calm).toBeLessThanOrEqual(performance.now() - startedAt + 20);
  });

  it('counts a stall as one tick', async () => {
    const calm = await calmMsOf(async () => {
      blockFor(500);
      await after(1);
    });
    expect(calm).toBeLessThan(250);
  });

  it('passes the failure on', async () => {
    await expect(calmMsOf(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  });
});
