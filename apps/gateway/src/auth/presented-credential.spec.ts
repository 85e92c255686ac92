import { describe, expect, it } from '@jest/globals';
import { presentedCredential } from './presented-credential.js';

describe('presentedCredential', () => {
  it.each([
    [{ authorization: ['Bearer vk_a'] }],
    [{ authorization: ['bearer  vk_a'] }],
    [{ 'x-api-key': ['vk_a'] }],
    [{ 'x-bf-virtual-key': [' vk_a '] }],
    [{ 'x-bf-vk': ['vk_a'] }],
    [{ authorization: ['Bearer vk_a'], 'x-api-key': ['vk_a'], 'x-bf-virtual-key': ['vk_a'] }],
  ])('finds the key in %j', (headers) => {
    expect(presentedCredential(headers)).toEqual({ kind: 'virtual_key', key: 'vk_a' });
  });

  it.each(['eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln', 'eyJhbGciOiJub25lIn0.e30.', 'eyJ..'])(
    'takes %s for a user’s token, whichever header brings it',
    (token) => {
      const found = { kind: 'user_token', jwt: token };
      expect(presentedCredential({ authorization: [`Bearer ${token}`] })).toEqual(found);
      expect(presentedCredential({ 'x-api-key': [token] })).toEqual(found);
    },
  );

  it('finds none where none of the headers is there', () => {
    expect(presentedCredential({ cookie: ['session=1'] })).toEqual({ kind: 'none' });
  });

  it.each([
    [{ authorization: ['Bearer vk_a'], 'x-api-key': ['vk_b'] }],
    [{ 'x-api-key': ['vk_a'], 'x-bf-vk': ['vk_b'] }],
    [{ authorization: ['Bearer vk_a', 'Bearer vk_b'] }],
    [{ authorization: ['Basic dXNlcg=='], 'x-api-key': ['vk_a'] }],
  ])('refuses two different credentials: %j', (headers) => {
    expect(presentedCredential(headers)).toEqual({ kind: 'conflict' });
  });

  it.each([
    [{ authorization: ['Basic dXNlcg=='] }],
    [{ authorization: ['Bearer '] }],
    [{ authorization: [''] }],
    [{ 'x-api-key': [''] }],
    [{ authorization: ['Bearer a b'] }],
  ])('never takes %j for no credential at all', (headers) => {
    expect(presentedCredential(headers)).toEqual({ kind: 'unreadable' });
  });
});
