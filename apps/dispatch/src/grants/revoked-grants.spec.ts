import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { RevokedGrants } from './revoked-grants.service.js';

const day = 86_400_000;
let rows: { id: string; at: number }[];
let asked: number[];
let isDown: boolean;
let told: string[];
let grants: RevokedGrants;
const onError = jest.fn();

beforeEach(() => {
  jest.useFakeTimers({ now: 10 * day });
  rows = [];
  asked = [];
  told = [];
  isDown = false;
  grants = new RevokedGrants({
    revokedSince: async (ageMs) => {
      if (isDown) throw new Error('the database is away');
      asked.push(ageMs);
      return rows.filter(({ at }) => at > Date.now() - ageMs).map(({ id }) => id);
    },
    onRevoked: (id) => told.push(id),
    onError,
  });
});
afterEach(async () => {
  await grants.stop();
  jest.useRealTimers();
});

describe('RevokedGrants', () => {
  it('knows from its start what was revoked before, and hears of more without the bus', async () => {
    rows.push({ id: 'old', at: Date.now() - day });
    await grants.start();
    expect(grants.has('old')).toBe(true);
    rows.push({ id: 'new', at: Date.now() });
    await jest.advanceTimersByTimeAsync(1_000);
    expect(grants.has('new')).toBe(true);
    expect(grants.has('other')).toBe(false);
  });

  it('tells of each once, whoever said it first', async () => {
    await grants.start();
    grants.add('g');
    rows.push({ id: 'g', at: Date.now() });
    await jest.advanceTimersByTimeAsync(3_000);
    expect(told).toEqual(['g']);
  });

  it('misses nothing of a time in which the database was away', async () => {
    await grants.start();
    isDown = true;
    rows.push({ id: 'meanwhile', at: Date.now() });
    await jest.advanceTimersByTimeAsync(600_000);
    expect(onError).toHaveBeenCalled();
    isDown = false;
    await jest.advanceTimersByTimeAsync(1_000);
    expect(grants.has('meanwhile')).toBe(true);
    expect(asked.at(-1)).toBeGreaterThan(600_000);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(asked.at(-1)).toBeLessThan(60_000);
  });

  it('does not start on a database that does not answer', async () => {
    isDown = true;
    await expect(grants.start()).rejects.toThrow('away');
  });

  it('forgets those of which no call can be left', async () => {
    await grants.start();
    grants.add('g');
    jest.setSystemTime(Date.now() + 2 * day + 1);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(grants.has('g')).toBe(false);
  });
});
