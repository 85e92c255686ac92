import { describe, expect, it } from '@jest/globals';
import { Sealer } from './sealer.js';

const sealer = new Sealer('k'.repeat(32));

describe('Sealer', () => {
  it('accepts its own seal, whatever the order of the keys', () => {
    const seal = sealer.seal('call', { a: 1, b: { c: [1, 2], d: null } });
    expect(sealer.verify('call', { b: { d: null, c: [1, 2] }, a: 1 }, seal)).toBe(true);
  });

  it.each([
    ['another value', 'call', { a: 2 }],
    ['another order in a list', 'call', { a: [2, 1] }],
    ['another purpose', 'lease', { a: 1 }],
  ])('refuses a seal for %s', (_what, purpose, value) => {
    expect(sealer.verify(purpose, value, sealer.seal('call', { a: 1 }))).toBe(false);
  });

  it('refuses a seal of another key, a cut one and an empty one', () => {
    const seal = sealer.seal('call', 1);
    expect(new Sealer('x'.repeat(32)).verify('call', 1, seal)).toBe(false);
    expect(sealer.verify('call', 1, seal.slice(1))).toBe(false);
    expect(sealer.verify('call', 1, '')).toBe(false);
  });

  it('keeps purpose and text apart', () => {
    expect(sealer.verifyText('ab', 'c', sealer.sealText('a', 'bc'))).toBe(false);
  });

  it('takes a wrapped key and refuses a short one', () => {
    const wrapped = new Sealer({ reveal: () => 'k'.repeat(32) });
    expect(wrapped.verify('call', 1, sealer.seal('call', 1))).toBe(true);
    expect(() => new Sealer('short')).toThrow(/shorter than 32/);
  });
});
