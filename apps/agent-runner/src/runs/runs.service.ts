import { Injectable } from '@nestjs/common';
import { type CallerContext, PlatformError, type RunInput, topics } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import { QueueClient } from '@switchyard/queue';
import { Log } from '@switchyard/service-kit';
import { v7 } from 'uuid';
import { cancelWaitingCalls } from '../calls/cancel-call.js';
import type { Run } from './run-data.js';
import { findRun } from './run-rows.js';
import { enqueueRun } from './waiting-runs.service.js';

/** A run to begin. */
export type NewRun = {
  /** Where whoever asks knows it beforehand: a run that is there already stays as it is. */
  readonly id?: string;
  /** As of now; whatever agent it names, the run is of `agentId`. */
  readonly caller: CallerContext;
  readonly agentId: string;
  readonly input: RunInput;
  readonly conversationId?: string;
  /** Of a request that may be sent again: a second run under one key of one user breaks the index `runs_idempotency`. */
  readonly requestKey?: { readonly key: string; readonly digest: string };
  /** The chat user's token, sealed to the broker, for integrations that exchange it. */
  readonly subjectToken?: string | null;
  /** Of a schedule or a webhook. */
  readonly trigger?: RunTrigger;
  /** So many chats' runs its user may have that go on, and eight times as many that wait; one more is `rate_limited`. */
  readonly mostOfUser?: number;
};

export type RunTrigger = {
  readonly id: string;
  readonly scheduledFor?: Date;
  /** Waits until the run before it of the same trigger has ended. */
  readonly isHeld?: boolean;
};

/** What others do with runs: begin and cancel. All of it is a row first, and a job or a message after. */
@Injectable()
export class RunsService {
  constructor(
    readonly sql: Sql,
    readonly queue: QueueClient,
    readonly log: Log,
  ) {}

  /** Takes the run in; from here on it cannot be lost. Gives its id. */
  async start(run: NewRun): Promise<string> {
    const runId = await this.sql.transaction((sql) => this.insert(sql, run));
    if (!run.trigger?.isHeld) await this.announce(run.caller.orgId, runId);
    return runId;
  }

  /** Takes the run in within a transaction of the caller's, who announces it once that is committed. */
  async insert(sql: Sql, run: NewRun): Promise<string> {
    const runId = idOf(run);
    const { agentId, conversationId } = run;
    const caller: CallerContext = { ...run.caller, agentId };
    await holdRoom(sql, run);
    if (conversationId) await holdConversation(sql, { caller, agentId, conversationId });
    await sql.query(insertSql, valuesOf(run, { runId, caller }));
    return runId;
  }

  /** Wakes a runner; what is lost here, the sweeper finds. */
  async announce(orgId: string, runId: string): Promise<void> {
    await enqueueRun({ sql: this.sql, queue: this.queue, log: this.log }, orgId, runId);
  }

  /** Undefined too for a run of another organization. */
  async find(orgId: string, runId: string): Promise<Run | undefined> {
    return findRun(this.sql, orgId, runId);
  }

  /**
   * Ends the run: at once where it was never planned, else as soon as a runner has taken back its calls.
   * What waits for approval is taken back before the answer. Does nothing at its end.
   */
  async cancel(orgId: string, runId: string): Promise<void> {
    const [row] = await this.sql.query<{ state: string }>(
      `UPDATE runs.runs SET cancel_requested_at = coalesce(cancel_requested_at, now()), next_sweep_at = now(),
         state = CASE WHEN ${isIdle} THEN 'cancelled' WHEN state = 'running' THEN state ELSE 'queued' END,
         ended_at = CASE WHEN ${isIdle} THEN now() END, is_held = false
       WHERE id = $1 AND org_id = $2 AND ended_at IS NULL RETURNING state`,
      [runId, orgId],
    );
    if (!row) return;
    await this.wake(orgId, runId, row.state);
    // Here already, and not by the runner alone: while none is free, somebody could approve them.
    await cancelWaitingCalls(this, orgId, runId);
  }

  private async wake(orgId: string, runId: string, state: string): Promise<void> {
    if (state === 'queued') return this.announce(orgId, runId);
    if (state !== 'running') return;
    await this.queue
      .publish(topics.runCancelled, { runId })
      .catch((err: unknown) =>
        this.log.warn({ err, runId }, 'a cancellation is left to the runner’s heartbeat'),
      );
  }
}

const insertSql = `INSERT INTO runs.runs (id, org_id, agent_id, conversation_id, caller, input, subject_token, trigger_id,
    scheduled_for, is_held, idempotency_key, idempotency_digest, next_sweep_at)
  VALUES ($1, $2, $3, $4, $5, $6::json, $7, $8, $9, $10, $11, $12, now() + interval '5 seconds') ON CONFLICT (id) DO NOTHING`;

function valuesOf(run: NewRun, { runId, caller }: { runId: string; caller: CallerContext }): unknown[] {
  const { agentId, input, trigger, requestKey } = run;
  const absent = [run.conversationId, run.subjectToken, trigger?.id, trigger?.scheduledFor];
  const [conversationId, subjectToken, triggerId, scheduledFor] = absent.map((value) => value ?? null);
  return [
    ...[runId, caller.orgId, agentId, conversationId, JSON.stringify(caller), JSON.stringify(input)],
    ...[subjectToken, triggerId, scheduledFor, trigger?.isHeld ?? false],
    ...[requestKey?.key ?? null, requestKey?.digest ?? null],
  ];
}

function idOf({ id }: NewRun): string {
  return id ?? v7();
}

/** No runner has brought it so far as to have calls. */
const isIdle = `(state = 'queued' AND plan IS NULL)`;

/** Those hold no runner, but each is rows, and calls that others are asked to decide about. */
const waitingPerGoingOn = 8;

/** Throws where the user has no room for one run more. Until the transaction ends, nobody else takes what room there is. */
async function holdRoom(sql: Sql, { caller: { orgId, userId }, mostOfUser: most }: NewRun): Promise<void> {
  if (most === undefined) return;
  await sql.query(`SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, [`runs of ${orgId} ${userId}`]);
  const [row] = await sql.query<{ goingOn: number; waiting: number }>(
    `SELECT count(*) FILTER (WHERE state IN ('queued', 'running'))::int AS "goingOn",
       count(*) FILTER (WHERE state IN ('waiting_approval', 'waiting_reauth'))::int AS waiting
     FROM runs.runs WHERE org_id = $1 AND caller ->> 'userId' = $2 AND caller ->> 'runKind' = 'chat' AND ended_at IS NULL`,
    [orgId, userId],
  );
  const { goingOn = 0, waiting = 0 } = row ?? {};
  if (goingOn >= most) throw tooMany(`${most} runs at once: wait for one of them, or cancel one.`);
  const mostWaiting = most * waitingPerGoingOn;
  if (waiting >= mostWaiting)
    throw tooMany(`${mostWaiting} runs that wait: decide what they wait for, or cancel some.`);
}

function tooMany(what: string): PlatformError {
  return new PlatformError('rate_limited', {
    message: `A user has at most ${what}`,
    retryAfterMs: 5_000,
  });
}

type Conversed = { caller: CallerContext; agentId: string; conversationId: string };

/** Makes the conversation, or throws where it is another's. */
async function holdConversation(sql: Sql, { caller, agentId, conversationId }: Conversed): Promise<void> {
  await sql.query(
    `INSERT INTO runs.conversations (id, org_id, agent_id, user_id) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING`,
    [conversationId, caller.orgId, agentId, caller.userId],
  );
  const own = await sql.query(
    `SELECT 1 FROM runs.conversations WHERE id = $1 AND org_id = $2 AND agent_id = $3 AND user_id IS NOT DISTINCT FROM $4`,
    [conversationId, caller.orgId, agentId, caller.userId],
  );
  if (own.length === 0) throw new PlatformError('not_found');
}
