import { describe, expect, it } from '@jest/globals';
import { workOf } from '@switchyard/testing';
import { bearerChallenge, publicChallenge, scopesOf } from './bearer-challenge.js';

describe('bearerChallenge', () => {
  it.each<[string, string | null, object | null]>([
    ['no header', null, null],
    ['another scheme', 'Basic realm="Bearer of news"', null],
    ['nothing but the scheme', 'Bearer', { error: null, scopes: null, resourceMetadata: null }],
    [
      'quoted and plain parameters in any case',
      'bearer Error=invalid_token, SCOPE="a  b a", resource_metadata="https://a.test/m?x=1"',
      { error: 'invalid_token', scopes: ['a', 'b'], resourceMetadata: 'https://a.test/m?x=1' },
    ],
    [
      'one behind another scheme',
      'DPoP algs="ES256", Bearer scope="a"',
      { error: null, scopes: ['a'], resourceMetadata: null },
    ],
    [
      'a parameter right behind another’s quotes',
      'Bearer error="a"scope="b"',
      { error: 'a', scopes: ['b'], resourceMetadata: null },
    ],
    [
      'escapes, and the first of two',
      'Bearer error="in\\"valid", error="second"',
      { error: 'in"valid', scopes: null, resourceMetadata: null },
    ],
  ])('reads %s', (_name, header, expected) => {
    expect(bearerChallenge(header)).toEqual(expected);
  });

  it('is not slowed down by what is made to slow it down', () => {
    for (const hostile of [`Bearer a="${'\\'.repeat(1_000_000)}`, `Bearer ${'a'.repeat(1_000_000)}`]) {
      const work = workOf(() => Array.from({ length: 20 }, () => bearerChallenge(hostile)));
      expect(work).toBeLessThan(200);
    }
  });
});

describe('publicChallenge', () => {
  it.each([
    ['Bearer realm="secret", error="x", scope="a"', 'Bearer scope="a"'],
    ['Bearer resource_metadata="https://u:p@a.test/"', null],
    ['Bearer resource_metadata="javascript:x"', null],
    ['Bearer error="invalid_token"', null],
  ])('of %s keeps what is no secret', (header, expected) => {
    expect(publicChallenge(header)).toBe(expected);
  });
});

describe('scopesOf', () => {
  it('drops what is no scope', () => {
    expect(scopesOf('ok "quoted" back\\slash https://a.test/scope \u0001x')).toEqual([
      'ok',
      'https://a.test/scope',
    ]);
    expect(scopesOf('  ')).toBeNull();
    expect(scopesOf(7)).toBeNull();
  });
});
