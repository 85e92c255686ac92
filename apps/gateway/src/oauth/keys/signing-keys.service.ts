import { Inject, Injectable } from '@nestjs/common';
import { Sql } from '@switchyard/database';
import { Log } from '@switchyard/service-kit';
import { type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import { v7 as uuid } from 'uuid';
import { GATEWAY_CONFIG, type GatewayConfig } from '../../config.js';
import { OAuthCipher } from '../store/oauth-cipher.js';

export const signingAlgorithm = 'RS256';

const lockKey = 0x4f41_5554;
const betweenReadsMs = 10_000;

type Row = { kid: string; publicJwk: JWK; ciphertext: Buffer; isActive: boolean; retiredAt: Date | null };

/** The keys of the tokens that this gateway issues: made once for all replicas, read again when a token names another. */
@Injectable()
export class SigningKeys {
  #rows: Row[] = [];
  #readAt = 0;
  readonly #imported = new Map<string, Promise<CryptoKey>>();

  constructor(
    private readonly sql: Sql,
    private readonly cipher: OAuthCipher,
    private readonly log: Log,
    @Inject(GATEWAY_CONFIG) private readonly config: Pick<GatewayConfig, 'oauth'>,
  ) {}

  /** All keys with their private halves, the one that signs first. Makes one if there is none that opens. */
  async privateKeys(): Promise<JWK[]> {
    await this.#read();
    if (!this.#rows.some((row) => row.isActive && this.#privateOf(row))) await this.#make();
    return this.#rows.flatMap((row) => this.#privateOf(row) ?? []);
  }

  /**
   * The public key of that id; undefined for one that is not ours, or no longer: who had the seal key of before may have
   * its private half, so it counts until the last token that it has signed is over.
   */
  async publicKey(kid: string): Promise<CryptoKey | undefined> {
    const isKnown = () => this.#rows.find((row) => row.kid === kid);
    if (!isKnown() && Date.now() - this.#readAt > betweenReadsMs) await this.#read();
    const row = isKnown();
    if (!row || !this.#isTrusted(row)) return undefined;
    const imported =
      this.#imported.get(kid) ?? (importJWK(row.publicJwk, signingAlgorithm) as Promise<CryptoKey>);
    this.#imported.set(kid, imported);
    return imported;
  }

  /** Keys by which nothing that holds was signed. */
  async deleteOld(): Promise<void> {
    await this.sql.query(
      `DELETE FROM gateway.oauth_keys WHERE NOT is_active AND retired_at < now() - $1 * interval '1 millisecond'`,
      [this.config.oauth.accessTtlMs],
    );
  }

  #isTrusted(row: Row): boolean {
    const isRecent =
      row.retiredAt !== null && row.retiredAt.getTime() > Date.now() - this.config.oauth.accessTtlMs;
    return isRecent || this.#privateOf(row) !== undefined;
  }

  async #read(sql = this.sql): Promise<void> {
    this.#readAt = Date.now();
    this.#rows = await sql.query<Row>(
      `SELECT kid, public_jwk AS "publicJwk", private_jwk_ciphertext AS ciphertext, is_active AS "isActive",
         retired_at AS "retiredAt"
       FROM gateway.oauth_keys ORDER BY is_active DESC, created_at DESC`,
    );
  }

  /** Under a lock, for replicas that start together. A key that no longer opens verifies for a while what it has signed. */
  async #make(): Promise<void> {
    await this.sql.transaction(async (sql) => {
      await sql.query(`SELECT pg_advisory_xact_lock($1)`, [lockKey]);
      await this.#read(sql);
      if (this.#rows.some((row) => row.isActive && this.#privateOf(row))) return;
      if (this.#rows.length > 0)
        this.log.warn('the OAuth signing key does not open with this seal key; a new one is made');
      const { privateKey, publicKey } = await generateKeyPair(signingAlgorithm, { extractable: true });
      const kid = uuid();
      const common = { kid, alg: signingAlgorithm, use: 'sig' };
      const sealed = this.cipher.encrypt({ ...(await exportJWK(privateKey)), ...common }, binding(kid));
      await sql.query(`UPDATE gateway.oauth_keys SET is_active = false, retired_at = now() WHERE is_active`);
      await sql.query(
        `INSERT INTO gateway.oauth_keys (kid, public_jwk, private_jwk_ciphertext) VALUES ($1, $2, $3)`,
        [kid, JSON.stringify({ ...(await exportJWK(publicKey)), ...common }), sealed],
      );
      await this.#read(sql);
    });
  }

  #privateOf({ kid, ciphertext }: Row): JWK | undefined {
    return this.cipher.decrypt<JWK>(ciphertext, binding(kid));
  }
}

function binding(kid: string): string[] {
  return ['oauth key', kid];
}
