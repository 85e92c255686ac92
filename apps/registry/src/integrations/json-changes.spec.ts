import { describe, expect, it } from '@jest/globals';
import { jsonChanges } from './json-changes.js';

describe('what changed between two JSON values', () => {
  it.each<[string, unknown, unknown, unknown]>([
    ['nothing, whatever the order of members', { a: 1, b: [2] }, { b: [2], a: 1 }, []],
    ['a value', { a: 1 }, { a: 2 }, [{ path: '/a', before: 1, after: 2 }]],
    ['a member that is new', {}, { a: null }, [{ path: '/a', after: null }]],
    ['a member that is gone', { a: [] }, {}, [{ path: '/a', before: [] }]],
    [
      'an element',
      [1, 2],
      [1, 3, 4],
      [
        { path: '/1', before: 2, after: 3 },
        { path: '/2', after: 4 },
      ],
    ],
    [
      'a list that becomes an object',
      { a: ['x'] },
      { a: { 0: 'x' } },
      [{ path: '/a', before: ['x'], after: { 0: 'x' } }],
    ],
    [
      'names that pointers escape',
      { 'a/b~c': 1 },
      { 'a/b~c': 2 },
      [{ path: '/a~1b~0c', before: 1, after: 2 }],
    ],
    ['the whole', 1, 'x', [{ path: '', before: 1, after: 'x' }]],
  ])('is %s', (_what, before, after, expected) => {
    expect(jsonChanges(before, after)).toEqual(expected);
  });

  it('is shown as a whole where it is deep or much', () => {
    const deep = (leaf: number) => JSON.parse(`${'{"a":'.repeat(100)}${leaf}${'}'.repeat(100)}`) as unknown;
    const [change] = jsonChanges(deep(1), deep(2));
    expect(change?.path).toBe('/a'.repeat(32));
    const many = (value: number) => Array.from({ length: 501 }, () => value);
    expect(jsonChanges(many(1), many(2))).toEqual([{ path: '', before: many(1), after: many(2) }]);
  });
});
