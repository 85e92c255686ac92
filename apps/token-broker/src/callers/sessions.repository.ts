import { Injectable } from '@nestjs/common';
import { Sql } from '@switchyard/database';

export type SessionFacts = {
  readonly providerId: string;
  readonly roles: readonly string[];
  readonly name: string | null;
};
export type Session = {
  readonly id: string;
  readonly orgId: string;
  readonly userId: string;
  readonly facts: SessionFacts;
};

@Injectable()
export class SessionsRepository {
  constructor(private readonly sql: Sql) {}

  async insert(session: Session & { tokenHash: Buffer; lifeSeconds: number }): Promise<void> {
    const { id, tokenHash, orgId, userId, facts, lifeSeconds } = session;
    await this.sql.query(
      `INSERT INTO vault.sessions (id, token_hash, organization_id, user_id, facts, expires_at)
       VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 second')`,
      [id, tokenHash, orgId, userId, JSON.stringify(facts), lifeSeconds],
    );
  }

  /** Of a user who is active still, and whose provider is trusted still. */
  async find(tokenHash: Buffer): Promise<Session | null> {
    const rows = await this.sql.query<Session>(
      `SELECT s.id, s.organization_id AS "orgId", s.user_id AS "userId", s.facts FROM vault.sessions s
       JOIN registry.v_users u ON u.id = s.user_id AND u.organization_id = s.organization_id AND u.active
       JOIN registry.v_identity_providers p ON p.id::text = s.facts->>'providerId'
         AND p.organization_id = s.organization_id AND p.enabled
       WHERE s.token_hash = $1 AND s.expires_at > now()`,
      [tokenHash],
    );
    return rows[0] ?? null;
  }

  async delete(id: string): Promise<void> {
    await this.sql.query(`DELETE FROM vault.sessions WHERE id = $1`, [id]);
  }

  async deleteExpired(): Promise<void> {
    await this.sql.query(`DELETE FROM vault.sessions WHERE expires_at < now()`);
  }
}
