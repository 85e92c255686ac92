import { Injectable } from '@nestjs/common';
import type { AuthMode, OAuthSettings, Transport } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';

/** What the broker needs to know of an integration before it hands anything out. */
export type LeasedIntegration = {
  readonly id: string;
  readonly orgId: string;
  readonly slug: string;
  readonly name: string;
  readonly scope: 'global' | 'organization' | 'user';
  readonly ownerUserId: string | null;
  readonly transport: Transport;
  readonly authMode: AuthMode;
  readonly headerNames: readonly string[];
  readonly envNames: readonly string[];
  /** Headers that each user brings, with auth mode `headers`. */
  readonly userHeaderNames: readonly string[];
  readonly oauth: OAuthSettings | null;
  readonly serviceUserId: string | null;
  /** Whether that is an active user of the integration's organization. */
  readonly serviceUserActive: boolean;
  readonly enabled: boolean;
  readonly version: number;
};

@Injectable()
export class IntegrationsRepository {
  constructor(private readonly sql: Sql) {}

  /** Read for each lease: what an admin revokes is refused from the next lease on. */
  async find(id: string): Promise<LeasedIntegration | null> {
    const rows: LeasedIntegration[] = await this.sql.prepared(
      `SELECT id, organization_id AS "orgId", slug, name, scope, owner_user_id AS "ownerUserId", transport,
              auth_mode AS "authMode", header_names AS "headerNames", env_names AS "envNames",
              user_header_names AS "userHeaderNames", oauth, service_user_id AS "serviceUserId",
              service_user_active AS "serviceUserActive", enabled, version
       FROM registry.v_integrations WHERE id = $1`,
      [id],
    );
    return rows[0] ?? null;
  }
}

/** Where its tokens are sent; null for a stdio child, which has no OAuth. */
export function serverUrlOf({ transport }: LeasedIntegration): string | null {
  return transport.type === 'stdio' ? null : transport.url;
}

/** Whether a user may see it at all. */
export function isWithinReach(
  integration: LeasedIntegration,
  user: { readonly orgId: string; readonly userId: string },
): boolean {
  if (integration.scope === 'global') return true;
  if (integration.orgId !== user.orgId) return false;
  return integration.scope !== 'user' || integration.ownerUserId === user.userId;
}
