import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { GATEWAY_CONFIG, type GatewayConfig } from '../../config.js';

const formatVersion = 1;
const ivBytes = 12;
const tagBytes = 16;

/**
 * Encrypts what the authorization server stores (AES-256-GCM), under a key that all replicas derive from the one that
 * the services share. Who reads the database alone can use no code, no refresh token and no signing key.
 */
@Injectable()
export class OAuthCipher {
  readonly #key: Buffer;
  /** For the signatures of cookies and forms. */
  readonly cookieKey: string;
  readonly formKey: Buffer;

  constructor(@Inject(GATEWAY_CONFIG) config: Pick<GatewayConfig, 'sealKey'>) {
    const derived = (purpose: string) =>
      Buffer.from(hkdfSync('sha256', config.sealKey.reveal(), '', `switchyard/gateway/oauth-${purpose}`, 32));
    this.#key = derived('store');
    this.cookieKey = derived('cookies').toString('base64url');
    this.formKey = derived('forms');
  }

  /** `binding` says where the value belongs: copied elsewhere it does not open. */
  encrypt(value: unknown, binding: readonly string[]): Buffer {
    const iv = randomBytes(ivBytes);
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv).setAAD(aad(binding));
    const body = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()]);
    return Buffer.concat([Buffer.of(formatVersion), iv, cipher.getAuthTag(), body]);
  }

  /** Undefined for what was encrypted under another key, or elsewhere. */
  decrypt<T>(sealed: Buffer, binding: readonly string[]): T | undefined {
    if (sealed[0] !== formatVersion) return undefined;
    const bodyAt = 1 + ivBytes + tagBytes;
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key, sealed.subarray(1, 1 + ivBytes))
        .setAAD(aad(binding))
        .setAuthTag(sealed.subarray(1 + ivBytes, bodyAt));
      const text = Buffer.concat([decipher.update(sealed.subarray(bodyAt)), decipher.final()]);
      return JSON.parse(text.toString('utf8')) as T;
    } catch {
      return undefined;
    }
  }
}

/** What a value is found by in the database. */
export function digestOf(value: string): Buffer {
  return createHash('sha256').update(value).digest();
}

function aad(binding: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify(binding));
}
