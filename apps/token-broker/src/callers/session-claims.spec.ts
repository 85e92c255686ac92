import { describe, expect, it } from '@jest/globals';
import { sessionClaims } from './session-claims.js';

describe('sessionClaims', () => {
  it('keeps what is said of the person and by whom, and nothing that is of the token', () => {
    const kept = { iss: 'https://idp.test', aud: 'us', azp: 'chat', sub: 'bob', team: { name: 'kitchen' } };
    const ofToken = { nonce: 'n', exp: 1, jti: 'j', auth_time: 2, gone: null };
    expect(sessionClaims({ ...kept, ...ofToken })).toEqual(kept);
  });

  it.each([
    ['too much', { groups: 'x'.repeat(70_000) }],
    ['what no database stores', { name: 'a\u0000b' }],
  ])('refuses %s rather than to forget what a policy may deny by', (_name, claims) => {
    expect(() => sessionClaims(claims)).toThrow(/more of this person/);
  });
});
