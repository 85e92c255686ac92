import { describe, expect, it } from '@jest/globals';
import { keySecret } from './secret.js';

const key = keySecret({ minLength: 32 });

describe('keySecret', () => {
  it('takes a key that was made at random, in any of the usual forms', () => {
    for (const text of [
      '6f1d02c8b7a94e53d0c1f2a3948576e0',
      'Jx3v0n1kQ2pR7sT9uW4yZ6aB8cD5eF0g',
      'ak_Qm9vZ2llLXdvb2dpZS1ib29naWU0Mg',
    ])
      expect(key.parse(text).reveal()).toBe(text);
  });

  it.each([
    'too-short',
    'change-me-change-me-change-me-change-me',
    'CHANGEME0123456789abcdef0123456789',
    'insert-your-key-here-0123456789abcdef',
    'this-is-the-default-key-0123456789',
    'password-password-0123456789-abcdef',
    'replace_with_a_random_value_0123456',
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    '01010101010101010101010101010101',
  ])('refuses %s, and does not repeat it', (text) => {
    const { success, error } = key.safeParse(text);
    expect(success).toBe(false);
    expect(JSON.stringify(error)).not.toContain(text);
  });
});
