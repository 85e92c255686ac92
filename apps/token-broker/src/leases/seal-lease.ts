import { CompactEncrypt, importJWK } from 'jose';
import { type LeaseContent, PlatformError, type PublicJwk } from '@switchyard/contracts';

/** Encrypts the content to the asker's ephemeral key: nobody on the way, and no other worker, can open it. */
export async function sealLease(
  content: LeaseContent | Readonly<Record<string, string>>,
  recipient: PublicJwk,
): Promise<string> {
  const key = await importJWK(recipient, 'ECDH-ES').catch((cause: unknown) => {
    throw new PlatformError('invalid_request', {
      message: 'The recipient’s key is not a point of its curve.',
      cause,
    });
  });
  const plaintext = new TextEncoder().encode(JSON.stringify(content));
  return new CompactEncrypt(plaintext).setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' }).encrypt(key);
}
