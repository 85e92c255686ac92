import { Injectable } from '@nestjs/common';
import { Sql } from '@switchyard/database';

export type SessionFacts = {
  readonly providerId: string;
  /** Of the provider at sign-in; older sessions have none. */
  readonly issuer?: string;
  readonly roles: readonly string[];
  readonly name: string | null;
};
export type Session = {
  readonly id: string;
  readonly orgId: string;
  readonly userId: string;
  readonly facts: SessionFacts;
};
export type SessionOfBrowser = Session & {
  /** What the identity provider said of the person. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
  readonly expiresAt: Date;
};

@Injectable()
export class SessionsRepository {
  constructor(private readonly sql: Sql) {}

  async insert(
    session: Omit<SessionOfBrowser, 'createdAt' | 'expiresAt'> & { tokenHash: Buffer; lifeSeconds: number },
  ): Promise<void> {
    const { id, tokenHash, orgId, userId, facts, claims, lifeSeconds } = session;
    await this.sql.query(
      `INSERT INTO vault.sessions (id, token_hash, organization_id, user_id, facts, claims, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, now() + $7 * interval '1 second')`,
      [id, tokenHash, orgId, userId, JSON.stringify(facts), JSON.stringify(claims), lifeSeconds],
    );
  }

  /** Of a user who is active still, and whose provider is trusted still and is the same issuer. */
  async find(tokenHash: Buffer): Promise<SessionOfBrowser | null> {
    const rows = await this.sql.query<SessionOfBrowser>(
      `SELECT s.id, s.organization_id AS "orgId", s.user_id AS "userId", s.facts, s.claims,
         s.created_at AS "createdAt", s.expires_at AS "expiresAt" FROM vault.sessions s
       JOIN registry.v_users u ON u.id = s.user_id AND u.organization_id = s.organization_id AND u.active
       JOIN registry.v_identity_providers p ON p.id::text = s.facts->>'providerId'
         AND p.organization_id = s.organization_id AND p.enabled
         AND coalesce(s.facts->>'issuer', p.issuer) = p.issuer
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
