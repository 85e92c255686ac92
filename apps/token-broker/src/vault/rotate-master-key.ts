import type { Sql } from '@switchyard/database';
import type { DataKeyRow } from './data-keys.repository.js';
import type { MasterKeys } from './master-keys.js';
import { unwrapDataKey, wrapDataKey } from './wrap-data-key.js';

/**
 * Wraps every data key under the present master key; values are left as they are. Brokers keep unwrapped data keys in
 * memory, so those with the former key alone go on too, until they start anew. Gives the number of keys and of those
 * that were changed. Throws when a data key needs a master key that was not given, and then changes nothing.
 */
export async function rotateMasterKey(
  sql: Sql,
  masters: MasterKeys,
): Promise<{ keys: number; rewrapped: number }> {
  return sql.transaction(async (transaction) => {
    const rows = await transaction.query<DataKeyRow>(
      `SELECT id, master_key_id AS "masterKeyId", wrapped FROM vault.data_keys ORDER BY id FOR UPDATE`,
    );
    const old = rows.filter((row) => row.masterKeyId !== masters.present.id);
    for (const row of old) {
      const { masterKeyId, wrapped } = wrapDataKey(masters.present, row.id, unwrapDataKey(masters, row));
      await transaction.query(`UPDATE vault.data_keys SET master_key_id = $2, wrapped = $3 WHERE id = $1`, [
        row.id,
        masterKeyId,
        wrapped,
      ]);
    }
    return { keys: rows.length, rewrapped: old.length };
  });
}
