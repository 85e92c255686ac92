import { Injectable } from '@nestjs/common';
import { Sql } from '@switchyard/database';
import { DataKeysService, type StoredValue } from '../vault/data-keys.service.js';

/** A consent that was begun: for whom, by whom, in which browser session, at which server. */
export type Consent = {
  readonly id: string;
  readonly orgId: string;
  readonly integrationId: string;
  /** Who began it and alone may end it. */
  readonly userId: string;
  /** Whose credential it will be. */
  readonly forUserId: string;
  readonly sessionId: string;
  readonly issuer: string;
  readonly facts: ConsentFacts;
};
export type ConsentFacts = {
  readonly resource: string;
  readonly scopes: readonly string[] | null;
  readonly neededScopes: readonly string[];
  readonly clientId: string;
  readonly serverUrl: string;
  /** Where the code goes, as it was when the user consented. */
  readonly tokenEndpoint: string;
  /** Begun by an admin, for the service identity. */
  readonly isService: boolean;
  /** The page from which the user came, and to which they go back; rows from before have none. */
  readonly returnTo?: string | null;
};
type Row = Consent & StoredValue & { readonly isOver: boolean; readonly isTaken: boolean };

const minutes = 10;

@Injectable()
export class ConsentsRepository {
  constructor(
    private readonly sql: Sql,
    private readonly keys: DataKeysService,
  ) {}

  async insert(consent: Consent, codeVerifier: string): Promise<void> {
    const { dataKeyId, ciphertext } = this.keys.encrypt(codeVerifier, binding(consent.id));
    await this.sql.query(
      `INSERT INTO vault.consents (id, organization_id, integration_id, user_id, for_user_id, session_id, issuer, facts,
         data_key_id, verifier_ciphertext, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, now() + $11 * interval '1 minute')`,
      [
        ...[consent.id, consent.orgId, consent.integrationId, consent.userId, consent.forUserId],
        ...[consent.sessionId, consent.issuer, JSON.stringify(consent.facts), dataKeyId, ciphertext, minutes],
      ],
    );
  }

  async find(id: string): Promise<(Consent & { isOver: boolean; isTaken: boolean }) | null> {
    const rows = await this.sql.query<Row>(
      `SELECT id, organization_id AS "orgId", integration_id AS "integrationId", user_id AS "userId",
         for_user_id AS "forUserId", session_id AS "sessionId", issuer, facts, expires_at <= now() AS "isOver",
         taken_at IS NOT NULL AS "isTaken"
       FROM vault.consents WHERE id = $1`,
      [id],
    );
    return rows[0] ?? null;
  }

  /** Takes it, for the one who comes first. Gives the verifier of its code, which is forgotten here. */
  async take(id: string): Promise<string | null> {
    const rows = await this.sql.transaction(async (sql) => {
      const taken = await sql.query<StoredValue>(
        `UPDATE vault.consents SET taken_at = now() WHERE id = $1 AND taken_at IS NULL AND expires_at > now()
         RETURNING data_key_id AS "dataKeyId", verifier_ciphertext AS ciphertext`,
        [id],
      );
      if (taken.length > 0)
        await sql.query(`UPDATE vault.consents SET verifier_ciphertext = ''::bytea WHERE id = $1`, [id]);
      return taken;
    });
    return rows[0] ? this.keys.decrypt(rows[0], binding(id)) : null;
  }

  /** A day later nobody asks any more whether a state was used. */
  async deleteOld(): Promise<void> {
    await this.sql.query(`DELETE FROM vault.consents WHERE expires_at < now() - interval '1 day'`);
  }
}

function binding(id: string): string[] {
  return ['vault.consents', id];
}
