import { expect, it } from '@jest/globals';
import { RefusalThrottle } from './refusal-throttle.js';

it('tells the first of each window, and then how many were not told', () => {
  const throttle = new RefusalThrottle(3, 1_000);
  expect([0, 1, 2, 3, 4].map((now) => throttle.next(now))).toEqual([0, 0, 0, null, null]);
  expect([999, 1_000, 1_001].map((now) => throttle.next(now))).toEqual([null, 3, 0]);
});
