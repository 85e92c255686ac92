import { randomUUID } from 'node:crypto';
import type { OnApplicationBootstrap } from '@nestjs/common';
import {
  agentRunQueue,
  type AgentRunJob,
  type Lane,
  type queues,
  type RunState,
  topics,
} from '@switchyard/contracts';
import type { JobContext, QueueClient } from '@switchyard/queue';
import { type Kit, withLogContext } from '@switchyard/service-kit';
import type { RunnerSettings } from '../config.js';
import type { ClaimsRepository, TakenClaim } from '../runs/claims.repository.js';
import type { RunsService } from '../runs/runs.service.js';
import type { WaitingRuns } from '../runs/waiting-runs.service.js';
import { FairShares } from './fair-shares.js';
import type { RunDriver } from './run-driver.service.js';
import { stopReason } from './run-driver.service.js';
import { StopRun } from './stop.js';

type Parts = {
  readonly queue: QueueClient;
  readonly claims: ClaimsRepository;
  readonly runs: RunsService;
  readonly waiting: WaitingRuns;
  readonly driver: RunDriver;
  readonly kit: Pick<Kit, 'log' | 'metrics' | 'shutdown'>;
  readonly settings: RunnerSettings;
};
type RunContext = JobContext<typeof queues.agentRuns>;

/** A run in this process's hand. */
type Held = { readonly claim: TakenClaim; readonly now: AbortController; readonly soon: AbortController };

/** Takes `agent-runs` of both lanes. A run is driven by whoever holds its claim, however many jobs of it there are. */
export class AgentRunsProcessor implements OnApplicationBootstrap {
  readonly #runnerId = randomUUID();
  readonly #held = new Set<Held>();
  readonly #shares: FairShares;
  #isDraining = false;

  constructor(private readonly parts: Parts) {
    const { concurrency, orgShare } = parts.settings;
    this.#shares = new FairShares(concurrency, orgShare);
  }

  async onApplicationBootstrap(): Promise<void> {
    const { queue, kit, settings } = this.parts;
    kit.shutdown.onStopTaking(() => this.#drain());
    for (const lane of ['interactive', 'background'] as const)
      queue.consume(agentRunQueue(lane), (job, context) => this.#processFairly(lane, job, context), {
        concurrency: settings.concurrency[lane],
      });
    await queue.subscribe(topics.runCancelled, ({ runId }) => this.#stop(runId, 'cancelled'));
    await queue.subscribe(topics.credentialChanged, async ({ orgId, userId, integrationId, state }) => {
      if (userId && state === 'active') await this.parts.waiting.connected({ orgId, userId, integrationId });
    });
    await queue.subscribe(topics.approvalDecided, async ({ orgId, runId, callId }) => {
      if (runId !== null) await this.parts.waiting.decided({ orgId, runId }, callId);
    });
  }

  /** A job beyond its organization's share gives its slot back at once, where there are others: theirs may stand behind it. */
  async #processFairly(lane: Lane, job: AgentRunJob, context: RunContext): Promise<{ state: RunState }> {
    const { claims } = this.parts;
    if (this.#shares.isUsedUp(lane, job.orgId) && (await claims.hasNeighbours(job.orgId))) {
      await claims.postpone(job, crowdedMs);
      return { state: 'queued' };
    }
    const giveBack = this.#shares.take(lane, job.orgId);
    try {
      return await this.#process(job, context);
    } finally {
      giveBack();
    }
  }

  async #process({ runId, orgId }: AgentRunJob, context: RunContext): Promise<{ state: RunState }> {
    const { claims, runs, settings } = this.parts;
    const claim = this.#isDraining
      ? undefined
      : await claims.take({ runId, orgId }, this.#runnerId, settings.leaseMs);
    // Somebody drives it, or will when the sweeper finds that nobody does.
    if (!claim) return { state: (await runs.find(orgId, runId))?.state ?? 'failed' };
    const state = await withLogContext({ runId }, () => this.#hold(claim, context.signal));
    this.#count(state);
    return { state };
  }

  async #hold(claim: TakenClaim, closing: AbortSignal): Promise<RunState> {
    const held = { claim, now: new AbortController(), soon: new AbortController() };
    this.#held.add(held);
    const close = () => this.#abort(held, 'draining');
    closing.addEventListener('abort', close, { once: true });
    const heartbeat = setInterval(() => void this.#beat(held), this.parts.settings.leaseMs / 3);
    try {
      return await this.#drive(held);
    } finally {
      clearInterval(heartbeat);
      closing.removeEventListener('abort', close);
      this.#held.delete(held);
    }
  }

  /** A cancelled run is driven once more, to its end. */
  async #drive(held: Held): Promise<RunState> {
    const { driver, claims, kit } = this.parts;
    try {
      if (held.claim.failedClaims >= mostFailedClaims) return await driver.giveUp(held.claim);
      return await driver.drive(held.claim, { now: held.now.signal, soon: held.soon.signal });
    } catch (thrown) {
      const why = stopReason(thrown);
      if (why === 'claim_lost') return 'running';
      if (why === 'cancelled') return driver.drive(held.claim, never);
      if (why === undefined) kit.log.error({ err: thrown }, 'a run is handed back');
      await claims.release(held.claim, { delayMs: why === undefined ? delayAfter(held.claim) : 0 });
      return 'queued';
    }
  }

  async #beat(held: Held): Promise<void> {
    const { claims, settings, kit } = this.parts;
    try {
      const renewed = await claims.renew(held.claim, settings.leaseMs);
      if (!renewed) this.#abort(held, 'claim_lost');
      else if (renewed.cancelRequested) this.#abort(held, 'cancelled');
    } catch (err) {
      kit.log.warn({ err, runId: held.claim.runId }, 'the claim of a run could not be renewed');
    }
  }

  #stop(runId: string, why: StopRun['why']): void {
    for (const held of this.#held) if (held.claim.runId === runId) this.#abort(held, why);
  }

  #abort({ now, soon }: Held, why: StopRun['why']): void {
    const reason = new StopRun(why);
    now.abort(reason);
    soon.abort(reason);
  }

  /** An answer that is being written may come to its end; what waits is handed back at once. */
  #drain(): void {
    this.#isDraining = true;
    for (const { soon } of this.#held) soon.abort(new StopRun('draining'));
  }

  #count(state: RunState): void {
    this.parts.kit.metrics
      .counter({
        name: 'switchyard_agent_runs_total',
        help: 'Runs that this process left, by the state in which it left them.',
        labelNames: ['state'],
      })
      .inc({ state });
  }
}

/** When a run that was not taken, for its organization had its share, is looked at again. */
const crowdedMs = 1_000;

/** So many runners in a row were killed by the run, or failed at it: the next one would be too. */
const mostFailedClaims = 10;

function delayAfter({ failedClaims }: TakenClaim): number {
  return Math.min(60_000, 1_000 * 2 ** failedClaims);
}

const silent = new AbortController().signal;
const never = { now: silent, soon: silent };
