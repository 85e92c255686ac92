import { expect, it } from '@jest/globals';
import { Kept } from './kept.js';

it('keeps what was asked for last, so many of them, and nothing that could not be made', () => {
  const kept = new Kept<string>(2);
  const made: string[] = [];
  const ask = (key: string) =>
    kept.of(key, () => {
      made.push(key);
      return key.toUpperCase();
    });
  expect(['a', 'b', 'a', 'c', 'a', 'b'].map(ask)).toEqual(['A', 'B', 'A', 'C', 'A', 'B']);
  expect(made).toEqual(['a', 'b', 'c', 'b']);
  const refuse = () => {
    throw new Error('no such key');
  };
  expect(() => kept.of('d', refuse)).toThrow('no such key');
  expect([kept.size, ask('d')]).toEqual([2, 'D']);
});
