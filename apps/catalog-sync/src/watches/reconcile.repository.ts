import { Injectable } from '@nestjs/common';
import type { IntegrationState } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';

export type Reconciled = {
  readonly orgId: string;
  readonly integrationId: string;
  readonly state: IntegrationState;
};

/** Whoever changed the registry enqueues a sync itself; this long later it is made up for, if that was lost. */
const graceSeconds = 3;

/** Brings the rows of the catalog in line with the integrations that the registry has. */
@Injectable()
export class ReconcileRepository {
  constructor(private readonly sql: Sql) {}

  /** What became another state. Safe to run on all replicas at once, as often as anybody likes. */
  async reconcile(): Promise<Reconciled[]> {
    return this.sql.transaction(async (sql) => {
      await sql.query(`SELECT pg_advisory_xact_lock(hashtextextended('catalog.reconcile', 0))`);
      const removed = await sql.query(removeDeleted);
      const added = await sql.query<Reconciled>(addNew, [graceSeconds]);
      const switched = [...(await sql.query<Reconciled>(disable)), ...(await sql.query<Reconciled>(enable))];
      await sql.query(planEdited, [graceSeconds]);
      await sql.query(dropWatches);
      const changed = [...added, ...switched];
      if (changed.length + removed.length > 0)
        await sql.query(bump, [changed.map(({ integrationId }) => integrationId)]);
      return switched;
    });
  }
}

const returning = `RETURNING s.organization_id AS "orgId", s.integration_id AS "integrationId", s.state`;

/* Tools and watches go with it. */
const removeDeleted = `
  DELETE FROM catalog.integration_states s
  WHERE NOT EXISTS (SELECT 1 FROM registry.v_integrations i WHERE i.id = s.integration_id AND i.kind IN ('external_mcp', 'local'))
  RETURNING s.integration_id`;

const addNew = `
  INSERT INTO catalog.integration_states AS s (integration_id, organization_id, state, next_sync_at)
  SELECT id, organization_id, CASE WHEN enabled THEN 'connecting' ELSE 'disabled' END,
         CASE WHEN enabled THEN now() + make_interval(secs => $1) END
  FROM registry.v_integrations WHERE kind IN ('external_mcp', 'local')
  ON CONFLICT DO NOTHING ${returning}`;

const disable = `
  UPDATE catalog.integration_states s
  SET state = 'disabled', next_sync_at = NULL, consecutive_failures = 0, failed_syncs = 0
  FROM registry.v_integrations i WHERE i.id = s.integration_id AND NOT i.enabled AND s.state <> 'disabled' ${returning}`;

const enable = `
  UPDATE catalog.integration_states s SET state = 'connecting', next_sync_at = now()
  FROM registry.v_integrations i WHERE i.id = s.integration_id AND i.enabled AND s.state = 'disabled' ${returning}`;

const planEdited = `
  UPDATE catalog.integration_states s SET next_sync_at = now() + make_interval(secs => $1)
  FROM registry.v_integrations i
  WHERE i.id = s.integration_id AND i.enabled AND s.attempted_version <> i.version
    AND (s.next_sync_at IS NULL OR s.next_sync_at > now() + make_interval(secs => $1))`;

const dropWatches = `
  DELETE FROM catalog.watches w USING catalog.integration_states s
  WHERE s.integration_id = w.integration_id AND s.state = 'disabled'`;

const bump = `
  WITH bumped AS (UPDATE catalog.version SET version = version + 1 RETURNING version)
  UPDATE catalog.integration_states SET version = bumped.version FROM bumped WHERE integration_id = ANY($1)`;
