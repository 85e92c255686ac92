import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { decryptValue, encryptValue } from './value-cipher.js';

const key = randomBytes(32);
const binding = ['vault.secrets', 'org', 'integration', 'headers', 'Authorization'];
const plaintext = Buffer.from('Bearer canary');

describe('encryptValue', () => {
  it('can be opened with its key and binding', () => {
    expect(decryptValue(key, encryptValue(key, plaintext, binding), binding)).toEqual(plaintext);
  });

  it('never gives the same ciphertext twice', () => {
    expect(encryptValue(key, plaintext, binding)).not.toEqual(encryptValue(key, plaintext, binding));
  });

  it('does not show the plaintext', () => {
    expect(encryptValue(key, plaintext, binding).includes(plaintext)).toBe(false);
  });
});

describe('decryptValue', () => {
  it.each(binding.map((_, index) => index))(
    'refuses a ciphertext whose binding differs in part %i',
    (index) => {
      const other = binding.with(index, 'other');

      expect(() => decryptValue(key, encryptValue(key, plaintext, binding), other)).toThrow();
    },
  );

  it('refuses a binding whose parts are cut elsewhere', () => {
    expect(() => decryptValue(key, encryptValue(key, plaintext, ['a', 'bc']), ['ab', 'c'])).toThrow();
  });

  it('refuses another key', () => {
    expect(() => decryptValue(randomBytes(32), encryptValue(key, plaintext, binding), binding)).toThrow();
  });

  it('refuses a ciphertext with any byte changed', () => {
    const sealed = encryptValue(key, plaintext, binding);

    for (let index = 0; index < sealed.length; index += 1) {
      const changed = Buffer.from(sealed);
      changed[index]! ^= 1;
      expect(() => decryptValue(key, changed, binding)).toThrow();
    }
  });

  it('refuses a ciphertext that was cut', () => {
    expect(() => decryptValue(key, encryptValue(key, plaintext, binding).subarray(0, 20), binding)).toThrow();
  });
});
