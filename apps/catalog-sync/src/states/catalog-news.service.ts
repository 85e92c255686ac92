import { Injectable } from '@nestjs/common';
import { type IntegrationState, topics } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import { Log } from '@switchyard/service-kit';

export type News = {
  readonly orgId: string;
  readonly integrationId: string;
  readonly state: IntegrationState;
  readonly toolsChanged: boolean;
  readonly featuresChanged?: boolean;
};

/** Tells the fleet what was committed. Never throws: who misses it finds the version row moved within a second. */
@Injectable()
export class CatalogNewsService {
  constructor(
    private readonly queue: QueueClient,
    private readonly log: Log,
  ) {}

  async publish(news: News): Promise<void> {
    await this.queue
      .publish(topics.catalogChanged, news)
      .catch((err: unknown) => this.log.warn({ err }, 'a change of the catalog was not published'));
  }
}
