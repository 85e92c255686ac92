import { createHash } from 'node:crypto';
import { PlatformError, PublicJwk } from '@switchyard/contracts';
import { CompactEncrypt, importJWK } from 'jose';

const keptSealed = 2_000;
const keyKeptMs = 60_000;

/** A user's JWT, and when it ends in epoch milliseconds. */
export type SubjectToken = { readonly jwt: string; readonly expiresAt: number };

export type SubjectTokenSealerOptions = {
  /** Of a role that may read `broker.v_public_keys`. */
  readonly query: (text: string, params?: unknown[]) => Promise<unknown[]>;
};

type BrokerKey = { readonly kid: string; readonly key: Awaited<ReturnType<typeof importJWK>> };
type Sealed = { readonly jwe: Promise<string>; readonly expiresAt: number };

/**
 * Seals users' tokens to the token broker, for calls of integrations that exchange them. One token is sealed once, so that
 * all its calls carry the same text and share one exchange.
 */
export class SubjectTokenSealer {
  readonly #sealed = new Map<string, Sealed>();
  #brokerKey: { readonly key: Promise<BrokerKey>; readonly until: number } | undefined;

  constructor(private readonly options: SubjectTokenSealerOptions) {}

  /** Throws `dependency_unavailable` while the broker has no key. */
  async seal({ jwt, expiresAt }: SubjectToken): Promise<string> {
    const digest = createHash('sha256').update(jwt).digest('base64url');
    const known = this.#sealed.get(digest);
    if (known && known.expiresAt > Date.now()) {
      this.#keep(digest, known);
      return known.jwe;
    }
    const jwe = this.#sealNow(jwt);
    this.#keep(digest, { jwe, expiresAt });
    jwe.catch(() => this.#sealed.delete(digest));
    return jwe;
  }

  /** The one that was not asked for longest makes room. */
  #keep(digest: string, sealed: Sealed): void {
    this.#sealed.delete(digest);
    const [oldest] = this.#sealed.size >= keptSealed ? this.#sealed.keys() : [];
    if (oldest !== undefined) this.#sealed.delete(oldest);
    this.#sealed.set(digest, sealed);
  }

  async #sealNow(jwt: string): Promise<string> {
    const { kid, key } = await this.#key();
    return new CompactEncrypt(Buffer.from(jwt))
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', kid })
      .encrypt(key);
  }

  #key(): Promise<BrokerKey> {
    if (!this.#brokerKey || this.#brokerKey.until <= Date.now()) {
      const key = this.#readKey();
      this.#brokerKey = { key, until: Date.now() + keyKeptMs };
      key.catch(() => (this.#brokerKey = undefined));
    }
    return this.#brokerKey.key;
  }

  async #readKey(): Promise<BrokerKey> {
    const [row] = await this.options.query(`SELECT kid, jwk FROM broker.v_public_keys WHERE active`);
    if (!row)
      throw new PlatformError('dependency_unavailable', { message: 'The token broker has no key yet.' });
    const { kid, jwk } = row as { kid: string; jwk: unknown };
    return { kid, key: await importJWK(PublicJwk.parse(jwk), 'ECDH-ES') };
  }
}
