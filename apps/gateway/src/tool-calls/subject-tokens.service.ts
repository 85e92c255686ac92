import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { PlatformError, PublicJwk } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import { CompactEncrypt, importJWK } from 'jose';
import type { UserToken } from '../auth/principal.js';
import { LruMap } from './lru-map.js';

const keptSealed = 2_000;
const keyKeptMs = 60_000;

type BrokerKey = { readonly kid: string; readonly key: Awaited<ReturnType<typeof importJWK>> };
type Sealed = { readonly jwe: Promise<string>; readonly expiresAt: number };

/**
 * Seals users' tokens to the token broker, for calls of integrations that exchange them. One token is sealed once, so that
 * all its calls carry the same text and share one exchange.
 */
@Injectable()
export class SubjectTokens {
  readonly #sealed = new LruMap<string, Sealed>(keptSealed);
  #brokerKey: { readonly key: Promise<BrokerKey>; readonly until: number } | undefined;

  constructor(private readonly sql: Sql) {}

  /** Throws `dependency_unavailable` while the broker has no key. */
  async seal({ jwt, expiresAt }: UserToken): Promise<string> {
    const digest = createHash('sha256').update(jwt).digest('base64url');
    const known = this.#sealed.get(digest);
    if (known && known.expiresAt > Date.now()) return known.jwe;
    const jwe = this.#sealNow(jwt);
    this.#sealed.set(digest, { jwe, expiresAt });
    jwe.catch(() => this.#sealed.delete(digest));
    return jwe;
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
    const [row] = await this.sql.query<{ kid: string; jwk: unknown }>(
      `SELECT kid, jwk FROM broker.v_public_keys WHERE active`,
    );
    if (!row)
      throw new PlatformError('dependency_unavailable', { message: 'The token broker has no key yet.' });
    return { kid: row.kid, key: await importJWK(PublicJwk.parse(row.jwk), 'ECDH-ES') };
  }
}
