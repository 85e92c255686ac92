import { describe, expect, it } from '@jest/globals';
import { schemaCost } from './schema-cost.js';

describe('schemaCost', () => {
  it('grows with the schema', () => {
    expect(schemaCost({ type: 'object', properties: { a: { type: 'string' } } })).toBe(3);
  });

  it('sees references that double with each level, in no time', () => {
    const $defs: Record<string, object> = { a40: { type: 'string' } };
    for (let i = 39; i >= 0; i--)
      $defs[`a${i}`] = { allOf: [{ $ref: `#/$defs/a${i + 1}` }, { $ref: `#/$defs/a${i + 1}` }] };
    expect(schemaCost({ $defs, $ref: '#/$defs/a0' })).toBeGreaterThan(1e12);
  });

  it('sees them through anchors', () => {
    const $defs = {
      a: {
        $anchor: 'x',
        allOf: Array(100)
          .fill({ type: 'string' })
          .map((s: object) => ({ ...s })),
      },
    };
    const many = { $defs, allOf: Array.from({ length: 100 }, () => ({ $ref: '#x' })) };
    expect(schemaCost(many)).toBeGreaterThan(10_000);
  });

  it('counts recursion once', () => {
    const tree = { properties: { children: { type: 'array', items: { $ref: '#' } } } };
    expect(schemaCost(tree)).toBeLessThan(10);
  });

  it.each(['https://example.com/schema', '#/$defs/missing', '#nowhere', '#/%zz'])(
    'gives up on %s',
    ($ref) => {
      expect(schemaCost({ $ref })).toBe(Number.POSITIVE_INFINITY);
    },
  );
});
