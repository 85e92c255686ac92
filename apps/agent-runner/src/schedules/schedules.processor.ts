import { type MessageOf, queues, topics } from '@switchyard/contracts';
import type { QueueClient } from '@switchyard/queue';
import { scheduleTimes } from '@switchyard/schedules';
import type { Kit } from '@switchyard/service-kit';
import { inTurns } from './in-turns.js';
import { toSchedulerRule } from './next-time.js';
import type { Schedules } from './schedules.service.js';
import type { ActiveSchedule, SchedulesRepository } from './schedules.repository.js';

type Parts = {
  readonly queue: QueueClient;
  readonly rows: SchedulesRepository;
  readonly schedules: Schedules;
  readonly kit: Pick<Kit, 'log' | 'shutdown'>;
  /** How often the stored schedulers are compared with the rows, and times are looked for that nobody was woken for. */
  readonly reconcileMs: number;
};

const concurrency = 16;
/** A firing that comes later than this was lost, or the queue is behind. */
const wakeWithinMs = 5_000;

/**
 * Keeps one job scheduler in the queue for each active schedule, and takes its firings. The scheduler only wakes: what is due
 * is told by the rows, so a firing that comes twice does nothing, and one that was lost is made up for.
 */
export class SchedulesProcessor {
  #timer: NodeJS.Timeout | undefined;
  #reconciling: Promise<void> | undefined;

  constructor(private readonly parts: Parts) {}

  async onApplicationBootstrap(): Promise<void> {
    const { queue, schedules, kit, reconcileMs } = this.parts;
    queue.consume(
      queues.agentSchedules,
      ({ orgId, scheduleId, reason, requestKey }, { correlationId, enqueuedAt }) =>
        reason === 'now'
          ? schedules.runNow(orgId, scheduleId, { correlationId, enqueuedAt, requestKey })
          : schedules.runDue(orgId, scheduleId),
      { concurrency },
    );
    await queue.subscribe(topics.registryChanged, (change) => this.#follow(change));
    queue.onReconnect(() => void this.#reconcileSoon());
    this.#timer = setInterval(() => void this.#reconcileSoon(), reconcileMs);
    kit.shutdown.onStopTaking(async () => {
      clearInterval(this.#timer);
      await this.#reconciling;
    });
    void this.#reconcileSoon();
  }

  async #follow({ entity, orgId, id }: MessageOf<typeof topics.registryChanged>): Promise<void> {
    if (entity === 'agent') return this.#reconcileSoon();
    if (entity !== 'schedule') return;
    await this.#logged(async () => {
      const schedule = await this.parts.rows.find(orgId, id);
      if (schedule?.isAgentActive && !schedule.isPaused) await this.#upsert(schedule);
      else await this.parts.queue.removeScheduler(queues.agentSchedules, id);
    }, id);
  }

  async #reconcileSoon(): Promise<void> {
    this.#reconciling ??= this.#logged(() => this.#reconcile()).finally(
      () => (this.#reconciling = undefined),
    );
    await this.#reconciling;
  }

  async #reconcile(): Promise<void> {
    const { queue, rows } = this.parts;
    const stored = await queue.schedulers(queues.agentSchedules);
    const { schedules: active, unreadable } = await rows.active();
    for (const { id, error: err } of unreadable)
      this.parts.kit.log.warn({ err, scheduleId: id }, 'a schedule cannot be read and does not run');
    const wanted = new Set(active.map(({ id }) => id));
    for (const { id } of stored)
      if (!wanted.has(id)) await this.#logged(() => queue.removeScheduler(queues.agentSchedules, id), id);
    for await (const schedule of inTurns(active))
      await this.#logged(() => this.#upsert(schedule), schedule.id);
    for await (const schedule of inTurns(active))
      await this.#logged(() => this.#makeUp(schedule), schedule.id);
  }

  async #makeUp(schedule: ActiveSchedule): Promise<void> {
    const { orgId, id } = schedule;
    if (isOverdue(schedule, Date.now() - wakeWithinMs)) await this.parts.schedules.runDue(orgId, id);
  }

  async #upsert({ id, orgId, rule }: ActiveSchedule): Promise<void> {
    const payload = { v: 1, orgId, scheduleId: id, reason: 'due' } as const;
    const scheduler = { id, payload, rule: toSchedulerRule(rule) };
    await this.parts.queue.upsertScheduler(queues.agentSchedules, scheduler);
  }

  async #logged(work: () => Promise<unknown>, scheduleId?: string): Promise<void> {
    try {
      await work();
    } catch (err) {
      this.parts.kit.log.warn({ err, scheduleId }, 'schedules could not be brought up to date');
    }
  }
}

/** Whether a time was due by `before` that nobody has dealt with. */
function isOverdue({ rule, activeSince, handledUntil }: ActiveSchedule, before: number): boolean {
  const since = Math.max(activeSince.getTime(), handledUntil?.getTime() ?? 0);
  const next = scheduleTimes(rule).next(since);
  return next !== null && next < before;
}
