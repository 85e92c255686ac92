import { describe, expect, it } from '@jest/globals';
import { workOf } from '@switchyard/testing';
import { linearRegExp, NotLinear } from './linear-regexp.js';

describe('linearRegExp', () => {
  it('matches as other engines do', () => {
    const slug = linearRegExp('^[a-z][a-z0-9-]{0,62}$');
    expect(slug.test('web-search')).toBe(true);
    expect(slug.test('Web Search')).toBe(false);
  });

  it('takes long but simple repetitions to the ordinary engine, and texts up to a length', () => {
    const limited = linearRegExp('^[a-z]+[a-z0-9]{0,600}$');
    expect(limited.test('a'.repeat(600))).toBe(true);
    const look = () => {
      expect(limited.test(`${'a'.repeat(4_999)}!`)).toBe(false);
      expect(limited.test(`${'a'.repeat(1_000_000)}!`)).toBe(true);
    };
    expect(workOf(look)).toBeLessThan(2_000);
  });

  it.each(['^(a{1,50})+$', '^(a|ab){0,50}$', 'a+b{0,50}c+', '^a{0,50}|b$', '^a{1,50}b{1,50}c{1,50}$'])(
    'does not take %s there',
    (pattern) => expect(() => linearRegExp(pattern)).toThrow(NotLinear),
  );

  it('runs in linear time where backtracking would not end', () => {
    const look = () => {
      expect(linearRegExp('^(a+)+$').test(`${'a'.repeat(50_000)}!`)).toBe(false);
      expect(linearRegExp('(x+x+)+y').test('x'.repeat(5_000))).toBe(false);
    };
    expect(workOf(look)).toBeLessThan(2_000);
  });

  it.each(['^(?=.*\\d).+$', '(a)\\1', '^\\p{L}+$', '\\u{1F600}', '😀'])(
    'has no linear form of %s',
    (pattern) => {
      expect(() => linearRegExp(pattern)).toThrow(NotLinear);
    },
  );

  it('refuses what is no pattern', () => {
    expect(() => linearRegExp('(')).toThrow(SyntaxError);
  });
});
