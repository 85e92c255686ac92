import { randomBytes, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type DataKeyRow, DataKeysRepository } from './data-keys.repository.js';
import { MasterKeys } from './master-keys.js';
import { decryptValue, encryptValue } from './value-cipher.js';
import { unwrapDataKey, wrapDataKey } from './wrap-data-key.js';

/** A value as it is stored: its ciphertext, and the data key that opens it. */
export type StoredValue = { readonly dataKeyId: string; readonly ciphertext: Buffer };

/** Encrypts and decrypts what the vault holds. The data keys are unwrapped once and stay in this process's memory. */
@Injectable()
export class DataKeysService {
  readonly #keys = new Map<string, Buffer>();
  #activeId: string | null = null;

  constructor(
    private readonly rows: DataKeysRepository,
    private readonly masterKeys: MasterKeys,
  ) {}

  /** Unwraps the data keys and makes the first one. Throws when the master key is not the one they were wrapped with. */
  async open(): Promise<void> {
    await this.#load();
    if (this.#activeId !== null) return;
    const id = randomUUID();
    await this.rows.insertIfNone({ id, ...wrapDataKey(this.masterKeys.present, id, randomBytes(32)) });
    await this.#load();
  }

  encrypt(plaintext: string, binding: readonly string[]): StoredValue {
    const dataKeyId = this.#activeId;
    const key = dataKeyId === null ? undefined : this.#keys.get(dataKeyId);
    if (dataKeyId === null || !key) throw new Error('The vault is not open.');
    return { dataKeyId, ciphertext: encryptValue(key, Buffer.from(plaintext), [...binding, dataKeyId]) };
  }

  /** Throws when the value is not the one that was encrypted with this binding. */
  async decrypt(value: StoredValue, binding: readonly string[]): Promise<string> {
    // Another replica may have made a data key since this one started.
    if (!this.#keys.has(value.dataKeyId)) await this.#load();
    const key = this.#keys.get(value.dataKeyId);
    if (!key) throw new Error(`The vault has no data key ${value.dataKeyId}.`);
    return decryptValue(key, value.ciphertext, [...binding, value.dataKeyId]).toString();
  }

  async #load(): Promise<void> {
    const rows = await this.rows.list();
    for (const row of rows) this.#keys.set(row.id, this.#unwrap(row));
    this.#activeId = rows.find((row) => row.isActive)?.id ?? null;
  }

  #unwrap(row: DataKeyRow): Buffer {
    const known = this.#keys.get(row.id);
    if (known) return known;
    return unwrapDataKey(this.masterKeys, row);
  }
}
