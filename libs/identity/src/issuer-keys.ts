import { PlatformError } from '@switchyard/contracts';
import { createLocalJWKSet, errors } from 'jose';
import type { CryptoKey } from 'jose';
import { readKeySet } from './read-key-set.js';
import type { KeySource } from './read-key-set.js';
import { unauthenticated } from './unauthenticated.js';

const second = 1_000;
/** Tokens with invented key ids must not make us a nuisance to the provider. */
const betweenReadsMs = 10 * second;
/** Whoever comes with a token of a provider that does not answer waits; so many for one provider, and no more. */
const mostWaiting = 500;
const refreshAfterMs = 300 * second;
/** From here on a withdrawn key might be taken, so that the token waits for the set to be read. */
const staleAfterMs = 3_600 * second;
const uselessAfterMs = 86_400 * second;

type LocalKeys = ReturnType<typeof createLocalJWKSet>;
export type KeyQuestion = { readonly algorithm: string; readonly keyId: string };

/**
 * The keys of one issuer: read when first needed, again when a token names a key that is not among them, and every few
 * minutes. While the provider is away the known keys go on working, for a day.
 */
export class IssuerKeys {
  private known: { keys: LocalKeys; readAt: number } | undefined;
  private notBefore = -Infinity;
  private waiting = 0;
  private failure: unknown;
  private reading: Promise<void> | undefined;

  constructor(
    private readonly source: KeySource,
    private readonly send: typeof fetch,
    private readonly now: () => number,
  ) {}

  /** Throws `unauthenticated` for a key that the issuer does not have, `dependency_unavailable` if nobody can tell. */
  async find(question: KeyQuestion): Promise<CryptoKey> {
    if (this.age() > staleAfterMs) await this.read();
    else if (this.age() > refreshAfterMs) void this.read().catch(() => undefined);
    const found = await this.lookUp(question);
    if (found) return found;
    await this.read();
    const foundNow = await this.lookUp(question);
    if (foundNow) return foundNow;
    if (this.failure === undefined) throw unauthenticated('The token is signed with an unknown key.');
    throw outOfReach(this.failure);
  }

  private age(): number {
    return this.known ? this.now() - this.known.readAt : Infinity;
  }

  private async lookUp({ algorithm, keyId }: KeyQuestion): Promise<CryptoKey | undefined> {
    if (this.age() > uselessAfterMs) return undefined;
    try {
      return await this.known?.keys({ alg: algorithm, kid: keyId });
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) return undefined;
      throw unauthenticated('The token’s key is not usable.', error);
    }
  }

  /** All who ask at once wait for one and the same read. What failed is kept for who found no key. */
  private async read(): Promise<void> {
    if (!this.reading) {
      if (this.now() < this.notBefore) return;
      this.notBefore = this.now() + betweenReadsMs;
      this.reading = this.readOnce().finally(() => (this.reading = undefined));
    }
    if (this.waiting >= mostWaiting) throw outOfReach(new Error('Too many wait for them.'));
    this.waiting++;
    await this.reading.finally(() => this.waiting--);
  }

  private async readOnce(): Promise<void> {
    try {
      const keys = createLocalJWKSet(await readKeySet(this.send, this.source));
      this.known = { keys, readAt: this.now() };
      this.failure = undefined;
    } catch (error) {
      this.failure = error;
      // However long it took to fail: between two tries there is a time in which nobody waits.
      this.notBefore = this.now() + betweenReadsMs;
    }
  }
}

function outOfReach(cause: unknown): PlatformError {
  const message = 'The keys of the identity provider are out of reach.';
  return new PlatformError('dependency_unavailable', { message, cause });
}
