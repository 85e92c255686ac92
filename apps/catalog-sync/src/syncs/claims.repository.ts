import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Sql } from '@switchyard/database';
import type { SyncedIntegration } from '../integrations/integrations.repository.js';

/** The right to sync one integration, held by one sync in the fleet. */
export type Claim = { readonly token: string; readonly generation: number };

const leaseSeconds = 10;
export const renewEveryMs = 3_000;

/**
 * One sync per integration at a time. A lease row rather than an advisory lock: a list may take half a minute, which
 * would hold a connection of the pool, and behind a pooling proxy a session lock belongs to nobody. A process that
 * dies blocks its integration for the rest of the lease; the generation keeps a sync that lost its claim from writing.
 */
@Injectable()
export class ClaimsRepository {
  constructor(private readonly sql: Sql) {}

  /** Null while another sync of the integration runs. */
  async claim({ id, orgId, version }: SyncedIntegration): Promise<Claim | null> {
    const token = randomUUID();
    const [row] = await this.sql.query<{ generation: number }>(
      `INSERT INTO catalog.integration_states AS states
         (integration_id, organization_id, state, attempted_version, generation, claimed_by, claimed_until)
       VALUES ($1, $2, 'connecting', $3, 1, $4, now() + make_interval(secs => $5))
       ON CONFLICT (integration_id) DO UPDATE SET attempted_version = excluded.attempted_version,
         generation = states.generation + 1, claimed_by = excluded.claimed_by, claimed_until = excluded.claimed_until,
         state = CASE states.state WHEN 'disabled' THEN 'connecting' ELSE states.state END
       WHERE states.claimed_until IS NULL OR states.claimed_until < now()
       RETURNING generation`,
      [id, orgId, version, token, leaseSeconds],
    );
    return row ? { token, generation: row.generation } : null;
  }

  async renew(integrationId: string, { token }: Claim): Promise<void> {
    await this.sql.query(
      `UPDATE catalog.integration_states SET claimed_until = now() + make_interval(secs => $3) WHERE integration_id = $1 AND claimed_by = $2`,
      [integrationId, token, leaseSeconds],
    );
  }

  async release(integrationId: string, { token }: Claim): Promise<void> {
    await this.sql.query(
      `UPDATE catalog.integration_states SET claimed_by = NULL, claimed_until = NULL WHERE integration_id = $1 AND claimed_by = $2`,
      [integrationId, token],
    );
  }
}
