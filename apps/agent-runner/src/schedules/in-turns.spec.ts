import { expect, it } from '@jest/globals';
import { inTurns } from './in-turns.js';

it('gives all in order, and everything else its turn meanwhile', async () => {
  const items = Array.from({ length: 1_000 }, (_, n) => n);
  let turns = 0;
  let next = setImmediate(function others() {
    turns++;
    next = setImmediate(others);
  });
  const given: number[] = [];
  for await (const item of inTurns(items)) given.push(item);
  clearImmediate(next);
  expect(given).toEqual(items);
  expect(turns).toBeGreaterThanOrEqual(999);
});
