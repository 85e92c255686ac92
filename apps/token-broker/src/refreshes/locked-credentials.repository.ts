import { Injectable } from '@nestjs/common';
import type { CredentialState } from '@switchyard/contracts';
import { createDataSource, Sql } from '@switchyard/database';
import { Log, type Secret } from '@switchyard/service-kit';
import { type CredentialRow, type SealedSecrets } from '../credentials/credential.js';
import { credentialColumns, type StoredCredential, toRow } from '../credentials/credentials.repository.js';

const { table, all } = credentialColumns;

/** Longer than a vendor's answer may take: who waits for longer than this would wait behind a second holder. */
const lockTimeoutMs = 11_000;
/** A broker that hangs with the lock in its hands loses it; the vendor's answer is limited to 10 s. */
const holderTimeoutMs = 20_000;
const connections = 16;

/** What is written of a refresh, before anything else happens with it. */
export type Refreshed = {
  readonly sealed: SealedSecrets;
  readonly expiresAt: Date | null;
  readonly grantedScopes: readonly string[];
  readonly state: CredentialState;
  readonly issuer: string;
  readonly resource: string | null;
  readonly clientId: string;
  readonly serverUrl: string | null;
};

/** A credential whose row is locked for this process. */
export type LockedCredential = {
  readonly row: CredentialRow;
  refreshed(given: Refreshed): Promise<CredentialRow>;
  failed(reason: string, coolDownMs: number): Promise<CredentialRow>;
  died(reason: string): Promise<CredentialRow>;
};

/**
 * Locks rows while their tokens are refreshed, on connections of its own: however many vendors hang, leases of others
 * still reach the database. When a broker dies, PostgreSQL frees its locks.
 */
@Injectable()
export class LockedCredentialsRepository {
  constructor(private readonly sql: Sql) {}

  static async open(
    url: Secret,
    log: Log,
  ): Promise<{ rows: LockedCredentialsRepository; close: () => Promise<void> }> {
    const source = createDataSource({
      url: url.reveal(),
      schema: 'vault',
      applicationName: 'token-broker-refresh',
      poolSize: connections,
      session: { idle_in_transaction_session_timeout: String(holderTimeoutMs) },
      onPoolError: (err) => log.warn({ err }, 'a connection for refreshes broke'),
    });
    await source.initialize();
    return { rows: new LockedCredentialsRepository(new Sql(source)), close: () => source.destroy() };
  }

  /** Runs `work` while the row is locked, and commits what it wrote. Null: no such row, or somebody has it (`skip`). */
  async withLock<T>(
    id: string,
    work: (locked: LockedCredential) => Promise<T>,
    options: { skip?: boolean } = {},
  ): Promise<T | null> {
    return this.sql.transaction(async (sql) => {
      await sql.query(`SELECT set_config('lock_timeout', $1, true)`, [String(lockTimeoutMs)]);
      const [found] = await sql.query<StoredCredential>(
        `SELECT ${all} FROM ${table} c WHERE c.id = $1 FOR UPDATE ${options.skip ? 'SKIP LOCKED' : ''}`,
        [id],
      );
      return found ? work(new Locked(sql, toRow(found))) : null;
    });
  }
}

class Locked implements LockedCredential {
  constructor(
    private readonly sql: Sql,
    readonly row: CredentialRow,
  ) {}

  async refreshed(given: Refreshed): Promise<CredentialRow> {
    const { sealed } = given;
    return this.#update(
      `data_key_id = $2, access_token_ciphertext = $3, refresh_token_ciphertext = $4, expires_at = $5,
       granted_scopes = $6, state = $7, state_reason = CASE WHEN $7 = 'needs_update' THEN state_reason END,
       state_before = NULL, state_since = CASE WHEN state = $7 THEN state_since ELSE now() END, issuer = $8, resource = $9,
       client_id = $10, server_url = $11, version = version + 1, failures = 0, cool_down_until = NULL,
       last_refreshed_at = now()`,
      [
        ...[sealed.dataKeyId, sealed.accessToken, sealed.refreshToken, given.expiresAt, given.grantedScopes],
        ...[given.state, given.issuer, given.resource, given.clientId, given.serverUrl],
      ],
    );
  }

  async failed(reason: string, coolDownMs: number): Promise<CredentialRow> {
    return this.#update(
      `failures = failures + 1, cool_down_until = now() + $2 * interval '1 millisecond', state_reason = $3`,
      [coolDownMs, reason],
    );
  }

  /** The vendor took it back: its tokens are of no use to anybody any more. */
  async died(reason: string): Promise<CredentialRow> {
    return this.#update(
      `state = 'needs_reauth', state_reason = $2, state_since = now(), state_before = NULL, version = version + 1,
       access_token_ciphertext = NULL, refresh_token_ciphertext = NULL, failures = 0, cool_down_until = NULL`,
      [reason],
    );
  }

  async #update(assignments: string, values: unknown[]): Promise<CredentialRow> {
    const rows = await this.sql.query<StoredCredential>(
      `UPDATE ${table} c SET ${assignments} WHERE c.id = $1 RETURNING ${all}`,
      [this.row.credential.id, ...values],
    );
    return toRow(rows[0]!);
  }
}
