import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const version = 1;
const ivBytes = 12;
const tagBytes = 16;
const headBytes = 1 + ivBytes + tagBytes;

/**
 * Encrypts with AES-256-GCM under a fresh random IV: version, IV, tag, ciphertext. `binding` says where the value
 * belongs and is authenticated with it, so that a ciphertext copied into another row does not open there.
 */
export function encryptValue(key: Buffer, plaintext: Buffer, binding: readonly string[]): Buffer {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  cipher.setAAD(aad(binding));
  const body = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([Buffer.of(version), iv, cipher.getAuthTag(), body]);
}

/** The plaintext; throws where key, binding or ciphertext are not the ones of `encryptValue`. */
export function decryptValue(key: Buffer, sealed: Buffer, binding: readonly string[]): Buffer {
  if (sealed.length < headBytes || sealed[0] !== version)
    throw new Error('The ciphertext has an unknown form.');
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 1 + ivBytes), {
    authTagLength: tagBytes,
  });
  decipher.setAAD(aad(binding));
  decipher.setAuthTag(sealed.subarray(1 + ivBytes, headBytes));
  return Buffer.concat([decipher.update(sealed.subarray(headBytes)), decipher.final()]);
}

/** JSON keeps the borders between the parts: no two bindings share their text. */
function aad(binding: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify(binding));
}
