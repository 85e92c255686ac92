import { Injectable } from '@nestjs/common';
import type { PublicJwk } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import type { StoredValue } from '../vault/data-keys.service.js';

export type BrokerKeyRow = StoredValue & { readonly kid: string; readonly isActive: boolean };

@Injectable()
export class BrokerKeysRepository {
  constructor(private readonly sql: Sql) {}

  async list(): Promise<BrokerKeyRow[]> {
    return this.sql.query(
      `SELECT kid, is_active AS "isActive", data_key_id AS "dataKeyId", private_jwk_ciphertext AS "ciphertext"
       FROM vault.broker_keys ORDER BY is_active DESC, created_at`,
    );
  }

  /** Stores the key unless an active one is there by then, whatever number of brokers start at once. */
  async insertIfNone(key: StoredValue & { kid: string; publicJwk: PublicJwk }): Promise<void> {
    await this.sql.query(
      `INSERT INTO vault.broker_keys (kid, public_jwk, data_key_id, private_jwk_ciphertext) VALUES ($1, $2, $3, $4)
       ON CONFLICT (is_active) WHERE is_active DO NOTHING`,
      [key.kid, JSON.stringify(key.publicJwk), key.dataKeyId, key.ciphertext],
    );
  }
}
