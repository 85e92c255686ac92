import { describe, expect, it } from '@jest/globals';
import { sessionClaims } from './session-claims.js';

describe('sessionClaims', () => {
  it('keeps what is said of the person, and nothing that is of the token', () => {
    const claims = { sub: 'bob', team: { name: 'kitchen' }, nonce: 'n', exp: 1, aud: 'us', gone: null };
    expect(sessionClaims(claims)).toEqual({ sub: 'bob', team: { name: 'kitchen' } });
  });

  it.each([
    ['too much', { groups: 'x'.repeat(70_000) }],
    ['what no database stores', { name: 'a\u0000b' }],
  ])('refuses %s rather than to forget what a policy may deny by', (_name, claims) => {
    expect(() => sessionClaims(claims)).toThrow(/more of this person/);
  });
});
