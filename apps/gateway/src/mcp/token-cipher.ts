import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const formatVersion = 1;
const ivLength = 12;
const tagLength = 16;

/**
 * Encrypts and authenticates (AES-256-GCM) what clients carry for us, under a key of its own for each purpose, derived from
 * the seal key that all replicas share: any of them can open what another one made.
 */
export class TokenCipher {
  readonly #key: Buffer;

  constructor(
    sealKey: string,
    purpose: string,
    private readonly maxLength: number,
  ) {
    this.#key = Buffer.from(hkdfSync('sha256', sealKey, '', `switchyard/gateway/${purpose}`, 32));
  }

  /** Base64url text; no two are the same. */
  seal(content: unknown): string {
    const iv = randomBytes(ivLength);
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv).setAAD(Buffer.from([formatVersion]));
    const sealed = Buffer.concat([cipher.update(JSON.stringify(content), 'utf8'), cipher.final()]);
    return Buffer.concat([Buffer.from([formatVersion]), iv, sealed, cipher.getAuthTag()]).toString(
      'base64url',
    );
  }

  /** The content, if the text is one of ours, unchanged. */
  open(token: string): unknown {
    if (token.length > this.maxLength || !/^[\w-]+$/.test(token)) return undefined;
    const bytes = Buffer.from(token, 'base64url');
    if (bytes[0] !== formatVersion || bytes.length < 1 + ivLength + tagLength) return undefined;
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(1, 1 + ivLength))
        .setAAD(bytes.subarray(0, 1))
        .setAuthTag(bytes.subarray(-tagLength));
      const text = Buffer.concat([
        decipher.update(bytes.subarray(1 + ivLength, -tagLength)),
        decipher.final(),
      ]);
      return JSON.parse(text.toString('utf8')) as unknown;
    } catch {
      return undefined;
    }
  }
}
