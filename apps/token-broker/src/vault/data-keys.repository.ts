import { Injectable } from '@nestjs/common';
import { Sql } from '@switchyard/database';

export type DataKeyRow = {
  readonly id: string;
  readonly masterKeyId: string;
  readonly wrapped: Buffer;
  readonly isActive: boolean;
};

const columns = `id, master_key_id AS "masterKeyId", wrapped, is_active AS "isActive"`;

@Injectable()
export class DataKeysRepository {
  constructor(private readonly sql: Sql) {}

  /** All data keys, the active one first. */
  async list(): Promise<DataKeyRow[]> {
    return this.sql.query(`SELECT ${columns} FROM vault.data_keys ORDER BY is_active DESC, created_at`);
  }

  /** Stores `row` unless an active key is there by then, whatever number of brokers start at once. */
  async insertIfNone(row: Omit<DataKeyRow, 'isActive'>): Promise<void> {
    await this.sql.query(
      `INSERT INTO vault.data_keys (id, master_key_id, wrapped) VALUES ($1, $2, $3)
       ON CONFLICT (is_active) WHERE is_active DO NOTHING`,
      [row.id, row.masterKeyId, row.wrapped],
    );
  }
}
