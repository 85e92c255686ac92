import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { canonicalJson } from './canonical-json.js';

/** The key that the services share: plain text, or a wrapper that hides it from logs. */
export type SealKey = string | { reveal(): string };

const shortestKey = 32;

/**
 * Puts an HMAC-SHA256 on values and checks it. A seal holds for one purpose: what is sealed as a job of one queue
 * is no job of another. Throws when the key is shorter than 32 characters.
 */
export class Sealer {
  readonly #key: KeyObject;

  constructor(key: SealKey) {
    const text = typeof key === 'string' ? key : key.reveal();
    if (text.length < shortestKey) throw new Error(`The seal key is shorter than ${shortestKey} characters.`);
    this.#key = createSecretKey(text, 'utf8');
  }

  /** The seal of a JSON value; the order of its keys does not matter. */
  seal(purpose: string, value: unknown): string {
    return this.sealText(purpose, canonicalJson(value));
  }

  /** Whether `seal` is the seal of this value for this purpose. Takes as long for a wrong seal as for a right one. */
  verify(purpose: string, value: unknown, seal: string): boolean {
    return this.verifyText(purpose, canonicalJson(value), seal);
  }

  /** As `seal`, over a text as it is: what travels as text is not parsed and printed again to be sealed. */
  sealText(purpose: string, text: string): string {
    // The length keeps purpose and text apart, so that no other pair gives the same bytes.
    return createHmac('sha256', this.#key)
      .update(`${Buffer.byteLength(purpose)}:${purpose}`)
      .update(text)
      .digest('base64url');
  }

  /** As `verify`, over a text as it is. */
  verifyText(purpose: string, text: string, seal: string): boolean {
    const expected = Buffer.from(this.sealText(purpose, text));
    const given = Buffer.from(seal);
    return expected.length === given.length && timingSafeEqual(expected, given);
  }
}
