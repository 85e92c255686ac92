import { Injectable } from '@nestjs/common';
import { topics } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import { Log } from '@switchyard/service-kit';

/** Tells those who watch a run that its rows have something new. Nobody waits for it: they look by themselves too. */
@Injectable()
export class RunNews {
  constructor(
    private readonly queue: QueueClient,
    private readonly log: Log,
  ) {}

  changed(runId: string): void {
    this.queue
      .publish(topics.runChanged, { runId })
      .catch((err: unknown) => this.log.debug({ err, runId }, 'nobody was told of a run’s step'));
  }
}
