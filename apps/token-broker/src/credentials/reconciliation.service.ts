import { Injectable } from '@nestjs/common';
import type { CredentialState } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import { Log } from '@switchyard/service-kit';
import type { CredentialOwner } from './credential.js';
import { CredentialNewsService } from './credential-news.service.js';

/** Why a credential that works is of no use to its user; null while it is. */
const reason = `CASE
  WHEN i.id IS NULL THEN 'integration_deleted'
  WHEN NOT i.enabled THEN 'integration_disabled'
  WHEN c.user_id IS NOT NULL AND NOT coalesce(u.active, false) THEN 'user_inactive'
  WHEN c.user_id IS NOT NULL AND i.scope <> 'global' AND i.organization_id <> c.organization_id THEN 'out_of_reach'
  WHEN i.scope = 'user' AND i.owner_user_id IS DISTINCT FROM c.user_id THEN 'out_of_reach'
END`;

/**
 * Marks credentials whose users have lost access as orphaned, and brings them back when access is back. Leases do not wait
 * for it: they look at user and integration themselves.
 */
@Injectable()
export class ReconciliationService {
  constructor(
    private readonly sql: Sql,
    private readonly news: CredentialNewsService,
    private readonly log: Log,
  ) {}

  async reconcile(): Promise<void> {
    const changed = await this.sql.query<CredentialOwner & { state: CredentialState }>(
      `UPDATE vault.user_external_mcp_credentials AS changed SET
         state = CASE WHEN found.reason IS NULL THEN coalesce(changed.state_before, 'active') ELSE 'orphaned' END,
         state_before = CASE WHEN found.reason IS NULL THEN NULL ELSE changed.state END,
         state_reason = found.reason, state_since = now()
       FROM (SELECT c.id, ${reason} AS reason FROM vault.user_external_mcp_credentials c
             LEFT JOIN registry.v_integrations i ON i.id = c.integration_id
             LEFT JOIN registry.v_users u ON u.id = c.user_id AND u.organization_id = c.organization_id
             WHERE c.kind = 'headers' OR c.access_token_ciphertext IS NOT NULL
             FOR UPDATE OF c SKIP LOCKED) AS found
       WHERE found.id = changed.id
         AND ((changed.state IN ('active', 'needs_update') AND found.reason IS NOT NULL)
           OR (changed.state = 'orphaned' AND found.reason IS NULL))
       RETURNING changed.organization_id AS "orgId", changed.integration_id AS "integrationId",
         changed.user_id AS "userId", changed.state`,
    );
    for (const one of changed) await this.news.tell(one);
    if (changed.length > 0) this.log.info({ changed: changed.length }, 'credentials reconciled');
  }
}
