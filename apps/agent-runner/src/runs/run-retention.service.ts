import type { OnApplicationBootstrap } from '@nestjs/common';
import type { Kit } from '@switchyard/service-kit';
import type { RetentionSettings } from '../config.js';
import type { OldRunsRepository } from './old-runs.repository.js';

const everyMs = 600_000;
const batch = 500;

/** Forgets runs and conversations past their time. Every replica does; row locks keep them off each other's batches. */
export class RunRetention implements OnApplicationBootstrap {
  #timer: NodeJS.Timeout | undefined;
  #cleaning: Promise<void> | undefined;
  #isStopping = false;

  constructor(
    private readonly old: OldRunsRepository,
    private readonly kit: Pick<Kit, 'log' | 'shutdown'>,
    private readonly settings: RetentionSettings,
  ) {}

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => void this.clean(), everyMs);
    this.kit.shutdown.onStopTaking(async () => {
      this.#isStopping = true;
      clearInterval(this.#timer);
      await this.#cleaning;
    });
    void this.clean();
  }

  /** Ends when nothing is past its time; what fails is logged, and left to the next time. */
  async clean(): Promise<void> {
    this.#cleaning ??= this.#cleanAll()
      .catch((err: unknown) => this.kit.log.warn({ err }, 'old runs were not removed'))
      .finally(() => (this.#cleaning = undefined));
    await this.#cleaning;
  }

  async #cleanAll(): Promise<void> {
    const { runDays, conversationDays } = this.settings;
    await this.#drain(() => this.old.removeRuns({ run: runDays, chat: conversationDays }, batch));
    await this.#drain(() => this.old.removeConversations(conversationDays, batch));
    await this.#drain(() => this.old.removeTimes(runDays, batch));
  }

  async #drain(remove: () => Promise<number>): Promise<void> {
    while (!this.#isStopping && (await remove()) === batch);
  }
}
