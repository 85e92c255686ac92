import { Injectable, type OnModuleInit } from '@nestjs/common';
import { topics } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import { Log } from '@switchyard/service-kit';
import { SpokenStep, type StepPlace } from './spoken-step.js';

/** Says on what models say in the steps that this process drives. */
@Injectable()
export class WordsOut implements OnModuleInit {
  /** Two for one run where this process lost its claim and took it again. */
  readonly #spoken = new Map<SpokenStep, string>();

  constructor(
    private readonly queue: QueueClient,
    private readonly log: Log,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.queue.subscribe(topics.runWatched, ({ runId }) => {
      for (const [step, spokenRunId] of this.#spoken) if (spokenRunId === runId) step.sayAgain();
    });
  }

  /** Call `end` in any case. */
  begin(place: StepPlace): SpokenStep {
    const step = new SpokenStep(place, (words) => this.#say(words));
    this.#spoken.set(step, place.runId);
    return step;
  }

  end(step: SpokenStep): void {
    step.end();
    this.#spoken.delete(step);
  }

  async #say(words: Parameters<ConstructorParameters<typeof SpokenStep>[1]>[0]): Promise<void> {
    await this.queue
      .publish(topics.runWords, words)
      .catch((err: unknown) => this.log.debug({ err, runId: words.runId }, 'words of a run were lost'));
  }
}
