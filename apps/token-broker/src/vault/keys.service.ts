import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Sql } from '@switchyard/database';
import { DataKeysService, type StoredValue } from './data-keys.service.js';

/** What each key is for; a code that was made for one purpose is none for another. */
export type KeyPurpose = 'audit-chain' | 'browser-codes';
const purposes: readonly KeyPurpose[] = ['audit-chain', 'browser-codes'];

/** Keys of HMACs, the same in every broker, kept in the vault. */
@Injectable()
export class KeysService {
  readonly #keys = new Map<KeyPurpose, Buffer>();

  constructor(
    private readonly sql: Sql,
    private readonly dataKeys: DataKeysService,
  ) {}

  /** Makes the keys that are missing, whatever number of brokers start at once. */
  async open(): Promise<void> {
    for (const purpose of purposes) {
      const { dataKeyId, ciphertext } = this.dataKeys.encrypt(
        randomBytes(32).toString('base64'),
        binding(purpose),
      );
      await this.sql.query(
        `INSERT INTO vault.keys (purpose, data_key_id, ciphertext) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
        [purpose, dataKeyId, ciphertext],
      );
    }
    const rows = await this.sql.query<StoredValue & { purpose: KeyPurpose }>(
      `SELECT purpose, data_key_id AS "dataKeyId", ciphertext FROM vault.keys`,
    );
    for (const row of rows)
      this.#keys.set(
        row.purpose,
        Buffer.from(await this.dataKeys.decrypt(row, binding(row.purpose)), 'base64'),
      );
  }

  /** The code of a list of parts: JSON keeps the borders between them. */
  code(purpose: KeyPurpose, parts: readonly unknown[]): Buffer {
    const key = this.#keys.get(purpose);
    if (!key) throw new Error('The vault is not open.');
    return createHmac('sha256', key).update(JSON.stringify(parts)).digest();
  }

  /** Whether `code` is the code of these parts; takes as long for a wrong one. */
  isCode(purpose: KeyPurpose, parts: readonly unknown[], code: Buffer): boolean {
    const expected = this.code(purpose, parts);
    return code.length === expected.length && timingSafeEqual(code, expected);
  }
}

function binding(purpose: KeyPurpose): string[] {
  return ['vault.keys', purpose];
}
