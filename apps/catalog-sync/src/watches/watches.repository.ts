import { Injectable } from '@nestjs/common';
import type { IntegrationState, LastFailure } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import { fairShare } from './fair-share.js';

export type Owner = { readonly id: string; readonly leaseMs: number };

/** An integration that this replica watches, as it stands now. */
export type WatchedRow = {
  readonly integrationId: string;
  readonly state: IntegrationState;
  readonly consecutiveFailures: number;
  readonly failedSyncs: number;
  readonly lastSyncAt: Date | null;
  readonly lastFailure: LastFailure | null;
  readonly nextSyncAt: Date | null;
  readonly isDue: boolean;
  readonly attemptedVersion: number | null;
};

/** Which replica watches which integration: lease rows, so that those of a dead one fall to the others. */
@Injectable()
export class WatchesRepository {
  constructor(private readonly sql: Sql) {}

  /** Shows this replica alive, keeps what it has, takes or gives its fair share; then all that it watches. */
  async hold(owner: Owner): Promise<WatchedRow[]> {
    const seconds = owner.leaseMs / 1_000;
    await this.sql.query(beat, [owner.id, seconds]);
    await this.sql.query(renew, [owner.id, seconds]);
    const [counts] = await this.sql.query<{ mine: number; integrations: number; replicas: number }>(count, [
      owner.id,
    ]);
    const { give, take } = fairShare(counts ?? { mine: 0, integrations: 0, replicas: 1 });
    if (give > 0) await this.sql.query(release, [owner.id, give]);
    if (take > 0) await this.sql.query(claim, [owner.id, seconds, take]);
    return this.sql.query<WatchedRow>(watched, [owner.id]);
  }

  /** For a graceful end: the others need not wait for the leases to run out. */
  async leave(ownerId: string): Promise<void> {
    await this.sql.query(`DELETE FROM catalog.watchers WHERE owner = $1`, [ownerId]);
    await this.sql.query(`DELETE FROM catalog.watches WHERE owner = $1`, [ownerId]);
  }
}

const beat = `
  WITH dead AS (DELETE FROM catalog.watchers WHERE lease_until < now() - interval '1 minute')
  INSERT INTO catalog.watchers (owner, lease_until) VALUES ($1, now() + make_interval(secs => $2))
  ON CONFLICT (owner) DO UPDATE SET lease_until = excluded.lease_until`;

/* A lease that ran out is not renewed: another replica may be opening its session now. */
const renew = `
  UPDATE catalog.watches SET lease_until = now() + make_interval(secs => $2) WHERE owner = $1 AND lease_until > now()`;

const count = `
  SELECT (SELECT count(*) FROM catalog.watches WHERE owner = $1 AND lease_until > now()) AS mine,
         (SELECT count(*) FROM catalog.integration_states WHERE state <> 'disabled') AS integrations,
         (SELECT count(*) FROM catalog.watchers WHERE lease_until > now()) AS replicas`;

const release = `
  DELETE FROM catalog.watches WHERE integration_id IN
    (SELECT integration_id FROM catalog.watches WHERE owner = $1 ORDER BY integration_id DESC LIMIT $2)`;

const claim = `
  INSERT INTO catalog.watches AS w (integration_id, owner, lease_until)
  SELECT s.integration_id, $1, now() + make_interval(secs => $2)
  FROM catalog.integration_states s LEFT JOIN catalog.watches taken USING (integration_id)
  WHERE s.state <> 'disabled' AND (taken.integration_id IS NULL OR taken.lease_until <= now())
  ORDER BY s.integration_id LIMIT $3
  ON CONFLICT (integration_id) DO UPDATE SET owner = excluded.owner, lease_until = excluded.lease_until
  WHERE w.lease_until <= now()`;

const watched = `
  SELECT s.integration_id AS "integrationId", s.state, s.consecutive_failures AS "consecutiveFailures",
         s.failed_syncs AS "failedSyncs", s.last_sync_at AS "lastSyncAt",
         s.last_failure AS "lastFailure", s.next_sync_at AS "nextSyncAt", s.attempted_version AS "attemptedVersion",
         coalesce(s.next_sync_at <= now(), false) AS "isDue"
  FROM catalog.watches w JOIN catalog.integration_states s USING (integration_id)
  WHERE w.owner = $1 AND w.lease_until > now()`;
