import { Injectable } from '@nestjs/common';
import { PublicJwk } from '@switchyard/contracts';
import {
  calculateJwkThumbprint,
  compactDecrypt,
  type CryptoKey,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
} from 'jose';
import { DataKeysService } from '../vault/data-keys.service.js';
import { BrokerKeysRepository } from './broker-keys.repository.js';

const algorithms = { keyManagementAlgorithms: ['ECDH-ES'], contentEncryptionAlgorithms: ['A256GCM'] };

/** The key pairs to which other services seal what only the broker may read (`broker.v_public_keys`). */
@Injectable()
export class BrokerKeysService {
  readonly #keys = new Map<string, CryptoKey>();
  #activeKid: string | null = null;

  constructor(
    private readonly rows: BrokerKeysRepository,
    private readonly dataKeys: DataKeysService,
  ) {}

  /** Loads the private keys and makes the first one. */
  async open(): Promise<void> {
    await this.#load();
    if (this.#activeKid !== null) return;
    await this.#create();
    await this.#load();
  }

  /** The plaintext of a compact JWE that names one of our keys. Throws for every other. */
  async unseal(jwe: string): Promise<string> {
    const kid = decodeProtectedHeader(jwe).kid ?? this.#activeKid ?? '';
    // Another replica may have made a key since this one started.
    if (!this.#keys.has(kid)) await this.#load();
    const key = this.#keys.get(kid);
    if (!key) throw new Error('The JWE names no key of the broker.');
    const { plaintext } = await compactDecrypt(jwe, key, algorithms);
    return new TextDecoder('utf-8', { fatal: true }).decode(plaintext);
  }

  async #create(): Promise<void> {
    const pair = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true });
    const publicJwk = PublicJwk.parse(pick(await exportJWK(pair.publicKey)));
    const kid = await calculateJwkThumbprint(publicJwk);
    const privateJwk = JSON.stringify(await exportJWK(pair.privateKey));
    await this.rows.insertIfNone({ kid, publicJwk, ...this.dataKeys.encrypt(privateJwk, binding(kid)) });
  }

  async #load(): Promise<void> {
    const rows = await this.rows.list();
    for (const row of rows) {
      if (this.#keys.has(row.kid)) continue;
      const jwk = JSON.parse(await this.dataKeys.decrypt(row, binding(row.kid))) as JWK;
      this.#keys.set(row.kid, (await importJWK(jwk, 'ECDH-ES')) as CryptoKey);
    }
    this.#activeKid = rows.find((row) => row.isActive)?.kid ?? null;
  }
}

function binding(kid: string): string[] {
  return ['vault.broker_keys', kid];
}

function pick({ kty, crv, x, y }: JWK): JWK {
  return { kty, crv, x, y };
}
