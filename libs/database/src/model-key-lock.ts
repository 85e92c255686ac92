import type { Sql } from './sql.js';

/**
 * Holds, until the transaction of `sql` ends, that the key of an agent's model in the vault is that of its row: the registry
 * takes it exclusively before it stores a key and commits the row, and whoever uses a key takes it shared, and reads the row then.
 */
export async function lockModelKey(sql: Sql, agentId: string, how: 'exclusive' | 'shared'): Promise<void> {
  const lock = how === 'shared' ? 'pg_advisory_xact_lock_shared' : 'pg_advisory_xact_lock';
  await sql.query(`SELECT ${lock}(hashtextextended('model key ' || $1, 0))`, [agentId]);
}
