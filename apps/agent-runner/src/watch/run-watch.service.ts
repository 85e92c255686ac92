import { Injectable, type OnModuleInit } from '@nestjs/common';
import { topics } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import { Log, Shutdown } from '@switchyard/service-kit';
import { type RunEvent, RunWatcher } from './run-watcher.js';
import { WatchedRunsRepository } from './watched-runs.repository.js';

const pollMs = 1_000;
const askAgainMs = 1_000;

/**
 * Runs as they go on, whichever process drives them. The rows are the truth: the bus says when to look, and a look each
 * second makes up for what it lost. Words of the step that is under way are on the bus alone.
 */
@Injectable()
export class RunWatch implements OnModuleInit {
  readonly #watched = new Map<string, Set<RunWatcher>>();
  readonly #stamps = new Map<string, string>();
  readonly #askedAt = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly queue: QueueClient,
    private readonly runs: WatchedRunsRepository,
    private readonly log: Log,
    private readonly shutdown: Shutdown,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.queue.subscribe(topics.runChanged, ({ runId }) => this.#tell(runId, { type: 'changed' }));
    await this.queue.subscribe(topics.runWords, (words) => this.#tell(words.runId, { type: 'words', words }));
    this.#timer = setInterval(() => void this.#look(), pollMs);
    this.shutdown.onClose(() => clearInterval(this.#timer));
  }

  /** Begins to watch. Call `close` in any case. */
  open(runId: string): RunWatcher {
    const watcher: RunWatcher = new RunWatcher(
      () => this.#askAgain(runId),
      () => this.#close(runId, watcher),
    );
    this.#watched.set(runId, (this.#watched.get(runId) ?? new Set()).add(watcher));
    this.#say(runId);
    return watcher;
  }

  #close(runId: string, watcher: RunWatcher): void {
    const watchers = this.#watched.get(runId);
    watchers?.delete(watcher);
    if (watchers?.size !== 0) return;
    for (const map of [this.#watched, this.#stamps, this.#askedAt]) map.delete(runId);
  }

  #tell(runId: string, event: RunEvent): void {
    this.#watched.get(runId)?.forEach((watcher) => watcher.hear(event));
  }

  #askAgain(runId: string): void {
    if (Date.now() - (this.#askedAt.get(runId) ?? 0) < askAgainMs) return;
    this.#say(runId);
  }

  #say(runId: string): void {
    this.#askedAt.set(runId, Date.now());
    this.queue
      .publish(topics.runWatched, { runId })
      .catch((err: unknown) => this.log.debug({ err, runId }, 'a run’s words were not asked for'));
  }

  async #look(): Promise<void> {
    const runIds = [...this.#watched.keys()];
    if (runIds.length === 0) return;
    try {
      for (const { id, stamp } of await this.runs.stamps(runIds)) {
        const before = this.#stamps.get(id);
        if (!this.#watched.has(id) || before === stamp) continue;
        this.#stamps.set(id, stamp);
        this.#tell(id, { type: 'changed' });
      }
    } catch (err) {
      this.log.warn({ err }, 'runs that are watched could not be looked at');
    }
  }
}
