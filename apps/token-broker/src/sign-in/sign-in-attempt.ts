import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { DataKeysService } from '../vault/data-keys.service.js';

/** What a browser carries between the way to the identity provider and the way back. */
const SignInAttempt = z.strictObject({
  providerId: z.uuid(),
  state: z.string(),
  nonce: z.string(),
  codeVerifier: z.string(),
  returnTo: z.string(),
  /** Epoch milliseconds. */
  expiresAt: z.number(),
});
export type SignInAttempt = z.infer<typeof SignInAttempt>;

const binding = ['sign-in attempt'];

/** Seals an attempt into a cookie: only the browser that began it can end it, and it cannot read or change it. */
@Injectable()
export class SignInAttempts {
  constructor(private readonly keys: DataKeysService) {}

  seal(attempt: SignInAttempt): string {
    const { dataKeyId, ciphertext } = this.keys.encrypt(JSON.stringify(attempt), binding);
    return `${dataKeyId}.${ciphertext.toString('base64url')}`;
  }

  /** Null for whatever is not an attempt of the last minutes. */
  async open(text: string | null): Promise<SignInAttempt | null> {
    const [dataKeyId = '', ciphertext = ''] = (text ?? '').split('.');
    if (!z.uuid().safeParse(dataKeyId).success) return null;
    try {
      const sealed = { dataKeyId, ciphertext: Buffer.from(ciphertext, 'base64url') };
      const attempt = SignInAttempt.parse(JSON.parse(await this.keys.decrypt(sealed, binding)));
      return attempt.expiresAt > Date.now() ? attempt : null;
    } catch {
      return null;
    }
  }
}
