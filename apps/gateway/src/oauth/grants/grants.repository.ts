import { Injectable } from '@nestjs/common';
import { Sql } from '@switchyard/database';
import { digestOf, OAuthCipher } from '../store/oauth-cipher.js';

/** What a user allowed an MCP client. */
export type NewGrant = {
  readonly id: string;
  /** The consent from which it comes. */
  readonly interactionId: string;
  readonly orgId: string;
  readonly userId: string;
  readonly identityProviderId: string;
  /** Of that provider at sign-in: the grant ends when it is another. */
  readonly issuer: string | null;
  readonly clientId: string;
  readonly clientName: string | null;
  /** Of a client that proved who it is by a metadata document; null: nobody vouches for its name. */
  readonly clientHost: string | null;
  readonly redirectUri: string;
  readonly resource: string;
  /** What the user shares; null: all that they may use. */
  readonly integrationIds: readonly string[] | null;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly expiresAt: Date;
};

/** A grant that holds, with what the registry says of its user now. */
export type LiveGrant = Omit<NewGrant, 'interactionId' | 'clientName' | 'clientHost' | 'redirectUri'> & {
  readonly roles: readonly string[];
};

/** As users and admins see it. */
export type ListedGrant = Omit<NewGrant, 'interactionId' | 'claims' | 'identityProviderId' | 'issuer'> & {
  readonly userName: string | null;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
};

/** Whose grants: null for all users of the organization. */
export type GrantOwner = { readonly orgId: string; readonly userId: string | null };

@Injectable()
export class GrantsRepository {
  constructor(
    private readonly sql: Sql,
    private readonly cipher: OAuthCipher,
  ) {}

  /** False: the consent was given already. */
  async insert(grant: NewGrant): Promise<boolean> {
    const rows = await this.sql.query(
      `INSERT INTO gateway.oauth_grants (id, interaction_hash, organization_id, user_id, identity_provider_id, client_id,
         client_name, client_host, redirect_uri, resource, integration_ids, claims_ciphertext, expires_at, issuer)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
       ON CONFLICT (interaction_hash) DO NOTHING RETURNING 1`,
      [
        ...[grant.id, digestOf(grant.interactionId), grant.orgId, grant.userId, grant.identityProviderId],
        ...[grant.clientId, grant.clientName, grant.clientHost, grant.redirectUri, grant.resource],
        ...[grant.integrationIds, this.cipher.encrypt(grant.claims, binding(grant.id)), grant.expiresAt],
        grant.issuer,
      ],
    );
    return rows.length > 0;
  }

  /** Null: revoked, over, or of a user who is not active. Notes that it is used, once a minute. */
  async findLive(id: string): Promise<LiveGrant | null> {
    const rows = await this.sql.query<Omit<LiveGrant, 'claims'> & { ciphertext: Buffer; isStale: boolean }>(
      `SELECT g.id, g.organization_id AS "orgId", g.user_id AS "userId", g.client_id AS "clientId", g.resource,
         g.identity_provider_id AS "identityProviderId", g.issuer, g.integration_ids AS "integrationIds",
         g.expires_at AS "expiresAt", g.claims_ciphertext AS ciphertext, u.roles,
         coalesce(g.last_used_at < now() - interval '1 minute', true) AS "isStale"
       FROM gateway.oauth_grants g
       JOIN registry.v_users u ON u.id = g.user_id AND u.organization_id = g.organization_id AND u.active
       WHERE g.id = $1 AND g.revoked_at IS NULL AND g.expires_at > now()`,
      [id],
    );
    const [row] = rows;
    const claims = row && this.cipher.decrypt<Record<string, unknown>>(row.ciphertext, binding(id));
    if (!row || !claims) return null;
    if (row.isStale)
      await this.sql.query(`UPDATE gateway.oauth_grants SET last_used_at = now() WHERE id = $1`, [id]);
    const { ciphertext: _, isStale: __, ...grant } = row;
    return { ...grant, claims };
  }

  /** Null: there is none of that owner that could be revoked. */
  async revoke(id: string, reason: string, owner: GrantOwner | null): Promise<RevokedGrant | null> {
    const rows = await this.sql.query<RevokedGrant>(
      `UPDATE gateway.oauth_grants SET revoked_at = now(), revoked_reason = $2
       WHERE id = $1 AND revoked_at IS NULL AND ($3::uuid IS NULL OR organization_id = $3)
         AND ($4::uuid IS NULL OR user_id = $4)
       RETURNING id, organization_id AS "orgId", user_id AS "userId", client_id AS "clientId"`,
      [id, reason, owner?.orgId ?? null, owner?.userId ?? null],
    );
    return rows[0] ?? null;
  }

  /** Those that were revoked lately; a clock that is a little off hides none. */
  async revokedLately(): Promise<string[]> {
    const rows = await this.sql.query<{ id: string }>(
      `SELECT id FROM gateway.oauth_grants WHERE revoked_at > now() - interval '30 seconds'`,
    );
    return rows.map(({ id }) => id);
  }

  /** Newest first: their ids are in order of time. */
  async list(owner: GrantOwner, page: { after: string | null; limit: number }): Promise<ListedGrant[]> {
    return this.sql.query<ListedGrant>(
      `SELECT g.id, g.organization_id AS "orgId", g.user_id AS "userId", g.client_id AS "clientId",
         g.client_name AS "clientName", g.client_host AS "clientHost", g.redirect_uri AS "redirectUri", g.resource,
         g.integration_ids AS "integrationIds", g.created_at AS "createdAt", g.expires_at AS "expiresAt",
         g.last_used_at AS "lastUsedAt", coalesce(u.display_name, u.username, u.email) AS "userName"
       FROM gateway.oauth_grants g LEFT JOIN registry.v_users u ON u.id = g.user_id
       WHERE g.organization_id = $1 AND ($2::uuid IS NULL OR g.user_id = $2) AND g.revoked_at IS NULL
         AND g.expires_at > now() AND ($3::uuid IS NULL OR g.id < $3)
       ORDER BY g.id DESC LIMIT $4`,
      [owner.orgId, owner.userId, page.after, page.limit],
    );
  }

  async deleteOld(): Promise<void> {
    await this.sql.query(
      `DELETE FROM gateway.oauth_grants
       WHERE expires_at < now() - interval '1 day' OR revoked_at < now() - interval '30 days'`,
    );
  }
}

export type RevokedGrant = Pick<NewGrant, 'id' | 'orgId' | 'userId' | 'clientId'>;

function binding(id: string): string[] {
  return ['oauth grant', id];
}
