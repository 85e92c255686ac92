import { Injectable } from '@nestjs/common';
import type { CallerContext } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import { StopRun } from '../engine/stop.js';

/** One runner's hold on a run: of two who believe to have one, the fence tells who has. */
export type Claim = { readonly runId: string; readonly orgId: string; readonly fence: number };

/** A claim just taken, and how many before it have come to nothing. */
export type TakenClaim = Claim & { readonly failedClaims: number };

/** A run that nobody drives. */
export type DueRun = Claim & { readonly runKind: CallerContext['runKind'] };

/** How long one look after a run lasts. */
const sweepAgainMs = 5_000;

const isDue = `next_sweep_at <= now() AND NOT is_held
  AND (state = 'queued' OR (state = 'running' AND lease_until < now()))`;

/** Who drives which run. */
@Injectable()
export class ClaimsRepository {
  constructor(private readonly sql: Sql) {}

  /** Takes a queued run, or one whose runner is gone; undefined where there is nothing to take. */
  async take(
    run: { runId: string; orgId: string },
    runnerId: string,
    leaseMs: number,
  ): Promise<TakenClaim | undefined> {
    const [row] = await this.sql.query<{ fence: number; failedClaims: number }>(
      `UPDATE runs.runs SET state = 'running', fence = fence + 1, runner_id = $3, next_sweep_at = now(),
         claims_without_progress = claims_without_progress + 1, lease_until = now() + make_interval(secs => $4::float8 / 1000),
         started_at = coalesce(started_at, now())
       WHERE id = $1 AND org_id = $2 AND NOT is_held AND (state = 'queued' OR (state = 'running' AND lease_until < now()))
       RETURNING fence, claims_without_progress - 1 AS "failedClaims"`,
      [run.runId, run.orgId, runnerId, leaseMs],
    );
    return row && { ...run, ...row };
  }

  /** Holds on to a run; undefined where it was lost. */
  async renew({ runId, fence }: Claim, leaseMs: number): Promise<{ cancelRequested: boolean } | undefined> {
    const [row] = await this.sql.query<{ cancelRequested: boolean }>(
      `UPDATE runs.runs SET lease_until = now() + make_interval(secs => $3::float8 / 1000)
       WHERE id = $1 AND fence = $2 AND state = 'running' RETURNING cancel_requested_at IS NOT NULL AS "cancelRequested"`,
      [runId, fence, leaseMs],
    );
    return row;
  }

  /** Throws where the claim was lost: this process may have stood still for longer than it lasts. */
  async confirm({ runId, fence }: Claim): Promise<void> {
    const held = await this.sql.query(
      `SELECT 1 FROM runs.runs WHERE id = $1 AND fence = $2 AND state = 'running'`,
      [runId, fence],
    );
    if (held.length === 0) throw new StopRun('claim_lost');
  }

  /** Gives a run back as it stands, for whoever takes it next; a delay says that something went wrong. */
  async release({ runId, fence }: Claim, { delayMs }: { delayMs: number }): Promise<void> {
    await this.sql.query(
      `UPDATE runs.runs SET state = 'queued', runner_id = NULL, lease_until = NULL,
         claims_without_progress = CASE WHEN $3::float8 = 0 THEN 0 ELSE claims_without_progress END,
         next_sweep_at = now() + make_interval(secs => $3::float8 / 1000)
       WHERE id = $1 AND fence = $2 AND state = 'running'`,
      [runId, fence, delayMs],
    );
  }

  /** Whether another organization could have runs too: slots kept free for nobody would only stand idle. */
  async hasNeighbours(orgId: string): Promise<boolean> {
    const others = await this.sql.query(
      'SELECT 1 FROM registry.v_agents WHERE organization_id <> $1 AND is_active LIMIT 1',
      [orgId],
    );
    return others.length > 0;
  }

  /** Has a run that nobody took looked at again after a while. */
  async postpone({ runId, orgId }: { runId: string; orgId: string }, delayMs: number): Promise<void> {
    await this.sql.query(
      `UPDATE runs.runs SET next_sweep_at = now() + make_interval(secs => $3::float8 / 1000)
       WHERE id = $1 AND org_id = $2 AND state IN ('queued', 'running')`,
      [runId, orgId, delayMs],
    );
  }

  /** Runs `work` in a transaction in which nobody else writes this run. Throws where the claim was lost. */
  async hold<T>({ runId, fence }: Claim, work: (sql: Sql) => Promise<T>): Promise<T> {
    return this.sql.transaction(async (sql) => {
      const held = await sql.query(
        `UPDATE runs.runs SET claims_without_progress = 0 WHERE id = $1 AND fence = $2 AND state = 'running' RETURNING 1`,
        [runId, fence],
      );
      if (held.length === 0) throw new StopRun('claim_lost');
      return work(sql);
    });
  }

  /**
   * Runs that wait without a job, or whose runner is gone; each of them is given to one asker at a time. Of each organization
   * the oldest, in turn: a crowd of one does not fill the batch.
   */
  async takeDue(limit: number): Promise<DueRun[]> {
    return this.sql.query<DueRun>(
      `UPDATE runs.runs SET next_sweep_at = now() + make_interval(secs => $2::float8 / 1000)
       WHERE id IN (SELECT r.id FROM runs.runs r
         JOIN (SELECT id, row_number() OVER (PARTITION BY org_id ORDER BY id) AS turn FROM runs.runs WHERE ${isDue}) waiting
           ON waiting.id = r.id
         WHERE ${isDue} ORDER BY waiting.turn, r.id LIMIT $1 FOR UPDATE OF r SKIP LOCKED)
       RETURNING id AS "runId", org_id AS "orgId", fence, caller ->> 'runKind' AS "runKind"`,
      [limit, sweepAgainMs],
    );
  }

  /** Open runs of agents that are gone, which nobody has cancelled yet. */
  async orphans(limit: number): Promise<{ runId: string; orgId: string }[]> {
    return this.sql.query(
      `SELECT r.id AS "runId", r.org_id AS "orgId" FROM runs.runs r
       WHERE r.ended_at IS NULL AND r.cancel_requested_at IS NULL
         AND NOT EXISTS (SELECT 1 FROM registry.v_agents a WHERE a.id = r.agent_id) LIMIT $1`,
      [limit],
    );
  }

  /**
   * Of runs that wait for the one before them, those whose turn has come. None of a schedule that is gone, and of a paused one
   * those alone that somebody asked for: they are cancelled.
   */
  async releaseHeld(): Promise<void> {
    await this.sql.query(
      `UPDATE runs.runs r SET state = 'cancelled', cancel_requested_at = now(), ended_at = now(), is_held = false
       WHERE r.is_held AND r.ended_at IS NULL AND NOT EXISTS (SELECT 1 FROM registry.v_schedules s
         WHERE s.id = r.trigger_id AND (r.scheduled_for IS NULL OR NOT s.is_paused))`,
    );
    await this.sql.query(
      `UPDATE runs.runs r SET is_held = false, next_sweep_at = now()
       WHERE r.is_held AND r.ended_at IS NULL AND NOT EXISTS (SELECT 1 FROM runs.runs before
         WHERE before.trigger_id = r.trigger_id AND before.ended_at IS NULL AND before.id <> r.id
           AND (NOT before.is_held OR before.id < r.id))`,
    );
  }
}
