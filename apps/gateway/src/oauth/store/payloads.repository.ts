import { Injectable } from '@nestjs/common';
import { Sql } from '@switchyard/database';
import type { AdapterPayload } from 'oidc-provider';
import { digestOf, OAuthCipher } from './oauth-cipher.js';

type Row = { ciphertext: Buffer; consumedAt: Date | null };

/** What oidc-provider keeps for a while. Ids are the values themselves (codes, tokens), so only their digests are stored. */
@Injectable()
export class PayloadsRepository {
  constructor(
    private readonly sql: Sql,
    private readonly cipher: OAuthCipher,
  ) {}

  async upsert(model: string, id: string, { payload, expiresIn }: NewPayload): Promise<void> {
    const hash = digestOf(id);
    await this.sql.query(
      `INSERT INTO gateway.oauth_payloads (model, id_hash, ciphertext, grant_id, uid_hash, expires_at)
       VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 second')
       ON CONFLICT (model, id_hash) DO UPDATE SET ciphertext = excluded.ciphertext, grant_id = excluded.grant_id,
         uid_hash = excluded.uid_hash, expires_at = excluded.expires_at`,
      [
        ...[model, hash, this.cipher.encrypt(payload, binding(model, hash))],
        ...[payload.grantId ?? null, payload.uid === undefined ? null : digestOf(payload.uid), expiresIn],
      ],
    );
  }

  async find(model: string, id: string): Promise<AdapterPayload | undefined> {
    return this.#open(model, 'id_hash', digestOf(id));
  }

  async findByUid(model: string, uid: string): Promise<AdapterPayload | undefined> {
    return this.#open(model, 'uid_hash', digestOf(uid));
  }

  /** False: somebody was faster. */
  async consume(model: string, id: string): Promise<boolean> {
    const rows = await this.sql.query(
      `UPDATE gateway.oauth_payloads SET consumed_at = now() WHERE model = $1 AND id_hash = $2
         AND consumed_at IS NULL RETURNING 1`,
      [model, digestOf(id)],
    );
    return rows.length > 0;
  }

  async destroy(model: string, id: string): Promise<void> {
    await this.sql.query(`DELETE FROM gateway.oauth_payloads WHERE model = $1 AND id_hash = $2`, [
      model,
      digestOf(id),
    ]);
  }

  async destroyOfGrant(grantId: string): Promise<void> {
    await this.sql.query(`DELETE FROM gateway.oauth_payloads WHERE grant_id = $1`, [grantId]);
  }

  /** A used refresh token stays for two days, for that its second use is noticed. */
  async deleteOld(): Promise<void> {
    await this.sql.query(
      `DELETE FROM gateway.oauth_payloads WHERE expires_at < now() - interval '1 hour'
         OR consumed_at < now() - interval '2 days'`,
    );
  }

  async #open(model: string, column: 'id_hash' | 'uid_hash', hash: Buffer) {
    const rows = await this.sql.query<Row & { idHash: Buffer }>(
      `SELECT id_hash AS "idHash", ciphertext, consumed_at AS "consumedAt" FROM gateway.oauth_payloads
       WHERE model = $1 AND ${column} = $2`,
      [model, hash],
    );
    const [row] = rows;
    const payload = row && this.cipher.decrypt<AdapterPayload>(row.ciphertext, binding(model, row.idHash));
    if (!payload) return undefined;
    return row.consumedAt === null ? payload : { ...payload, consumed: row.consumedAt.getTime() / 1_000 };
  }
}

type NewPayload = { readonly payload: AdapterPayload; readonly expiresIn: number };

function binding(model: string, hash: Buffer): string[] {
  return ['oauth payload', model, hash.toString('hex')];
}
