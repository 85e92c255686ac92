import { afterAll, describe, expect, it } from '@jest/globals';
import { eventually, testPrefix, testRedisUrl } from '@switchyard/testing';
import { FleetLimits } from './fleet-limits.js';

const table = { schema: 'none', name: 'none', query: () => Promise.reject(new Error('no such table')) };
const limit = { limit: 2, intervalMs: 60_000 };

describe('FleetLimits', () => {
  const open: FleetLimits[] = [];
  const limits = (url: string, prefix: string, onError = (_: unknown): void => undefined): FleetLimits => {
    const made = new FleetLimits({ url, service: 'test', prefix, table, onError });
    open.push(made);
    return made;
  };
  afterAll(() => open.forEach((one) => one.close()));

  it('counts for all processes, and for each key apart', async () => {
    const url = await testRedisUrl();
    const prefix = testPrefix();
    const [one, other] = [limits(url, prefix), limits(url, prefix)];
    const warmUp = { limit: 100_000, intervalMs: 1_000 };
    await eventually(
      async () => !(await one.take('w', warmUp)).isOver && !(await other.take('w', warmUp)).isOver,
    );
    await eventually(async () => (await one.take('a', limit)).isOver, { timeoutMs: 5_000 });
    expect(await other.take('a', limit)).toEqual({ isOver: true, retryAfterMs: expect.any(Number) });
    expect(await other.take('b', limit)).toEqual({ isOver: false });
  });

  it('lets pass what cannot be counted, soon, and says so', async () => {
    const said: unknown[] = [];
    for (const url of ['redis://127.0.0.1:9', 'postgres://127.0.0.1:9/none']) {
      const away = limits(url, testPrefix(), (error) => said.push(error));
      for (let at = 0; at < 4; at++) expect(await away.take('a', limit)).toEqual({ isOver: false });
    }
    expect(said.length).toBeGreaterThanOrEqual(2);
  });
});
