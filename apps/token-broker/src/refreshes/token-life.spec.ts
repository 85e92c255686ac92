import { describe, expect, it } from '@jest/globals';
import { coolDownMs, isAlive, isStale, leaseEnd } from './token-life.js';

const now = 1_000_000_000;
const life = (leftMs: number, wholeMs = 3_600_000) => ({
  expiresAt: new Date(now + leftMs),
  lastRefreshedAt: new Date(now + leftMs - wholeMs),
});

describe('isStale', () => {
  it.each([
    ['an hour’s token with two minutes left', life(120_000), false],
    ['an hour’s token with fifty seconds left', life(50_000), true],
    ['a ten seconds’ token with five left', life(5_000, 10_000), false],
    ['a ten seconds’ token with one left', life(1_000, 10_000), true],
    ['an expired token', life(-1), true],
    ['a token that never expires', { expiresAt: null, lastRefreshedAt: null }, false],
  ])('of %s', (_what, given, expected) => expect(isStale(given, now)).toBe(expected));
});

describe('isAlive', () => {
  it('ends with the token', () => {
    expect([life(10_000), life(500), life(-1)].map((one) => isAlive(one, now))).toEqual([true, false, false]);
  });
});

describe('leaseEnd', () => {
  it.each([
    ['the lease time', 3_600_000, now + 300_000],
    ['half a minute before the token', 100_000, now + 70_000],
    ['at once for a token of seconds', 5_000, now],
  ])('is %s', (_what, leftMs, expected) => expect(leaseEnd(now + leftMs, now, 300_000)).toBe(expected));

  it('is the lease time for a token that never expires', () => {
    expect(leaseEnd(null, now, 300_000)).toBe(now + 300_000);
  });
});

describe('coolDownMs', () => {
  it('grows from about a second to about a minute', () => {
    expect(coolDownMs(1, null)).toBeLessThanOrEqual(1_200);
    expect(coolDownMs(4, null)).toBeGreaterThanOrEqual(6_400);
    expect(coolDownMs(30, null)).toBeLessThanOrEqual(72_000);
  });

  it('is as long as the vendor asks for, but not for ever', () => {
    expect(coolDownMs(1, 30_000)).toBe(30_000);
    expect(coolDownMs(1, 86_400_000)).toBe(600_000);
  });
});
