import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { scramVerifier } from './scram-verifier.js';

/** A login role, taken from the URL with which its service connects. */
export type Role = { name: string; password: string };

const roleName = /^[a-z_][a-z0-9_-]{0,62}$/i;

/** Who a URL logs in as. Throws when it names nobody; names stay simple, for they travel in settings. */
export function roleOf(url: string): Role {
  const { username, password } = new URL(url);
  const name = decodeURIComponent(username);
  if (!roleName.test(name)) throw new Error('a database URL needs a user name of letters, digits, - and _');
  return { name, password: decodeURIComponent(password) };
}

/** Creates the role, or gives an existing one this password. A migrator that may not manage roles keeps those that exist. */
export async function ensureRole(client: Client, role: Role): Promise<void> {
  const { rowCount } = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [role.name]);
  const verb = rowCount ? 'ALTER' : 'CREATE';
  const password = role.password ? ` PASSWORD ${client.escapeLiteral(scramVerifier(role.password))}` : '';
  try {
    await retryRace(() =>
      client.query(`${verb} ROLE ${client.escapeIdentifier(role.name)} LOGIN${password}`),
    );
  } catch (error) {
    const mayNot = (error as { code?: string }).code === '42501';
    if (!mayNot || verb === 'CREATE') throw error;
  }
}

/** Roles belong to the whole server: two databases that migrate at once may touch the same row of its catalog. */
async function retryRace(work: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await work();
      return;
    } catch (error) {
      const { code, message } = error as { code?: string; message?: string };
      if (code === '42710' || code === '23505') return;
      if (attempt >= 20 || !/concurrently (updated|deleted)/.test(message ?? '')) throw error;
      await delay(25);
    }
  }
}
