import { expect, it } from '@jest/globals';
import { RefusalThrottle } from './refusal-throttle.js';

it.each(['one', null])('tells the first of each window, and then how many were not told, of %s', (key) => {
  const throttle = new RefusalThrottle(3, 1_000);
  expect([0, 1, 2, 3, 4].map((now) => throttle.next(key, now))).toEqual([0, 0, 0, null, null]);
  expect([999, 1_000, 1_001].map((now) => throttle.next(key, now))).toEqual([null, 3, 0]);
});

it('does not let a flood about one silence another, nor nobody', () => {
  const throttle = new RefusalThrottle(1, 1_000);
  expect(['one', 'one', 'two', null, null, 'one'].map((key) => throttle.next(key, 0))).toEqual([
    ...[0, null, 0, 0, null, null],
  ]);
  expect(['one', 'two', null].map((key) => throttle.next(key, 1_000))).toEqual([2, 0, 1]);
});

it('keeps so many keys, drops the one used longest ago, and never nobody’s', () => {
  const throttle = new RefusalThrottle(1, 1_000, 2);
  const told = [null, 'one', 'two', 'one', 'three', 'one', 'two', null].map((key) => throttle.next(key, 0));
  expect(told).toEqual([0, 0, 0, null, 0, null, 0, null]);
});
