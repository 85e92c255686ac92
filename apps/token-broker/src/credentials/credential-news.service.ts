import { Injectable } from '@nestjs/common';
import { type CredentialState, queues, topics } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import { Log } from '@switchyard/service-kit';
import type { CredentialOwner } from './credential.js';

/** Tells the others that a credential is another now. They find the truth in the database if they miss it. */
@Injectable()
export class CredentialNewsService {
  constructor(
    private readonly queue: QueueClient,
    private readonly log: Log,
  ) {}

  async tell(change: CredentialOwner & { state: CredentialState | null }): Promise<void> {
    const { orgId, integrationId, userId, state } = change;
    await this.queue
      .publish(topics.credentialChanged, { orgId, integrationId, userId, state })
      .catch((err: unknown) => this.log.warn({ err, integrationId }, 'nobody was told of a credential'));
  }

  /** A new credential may be the first with which the tools can be listed. */
  async askForSync(orgId: string, integrationId: string): Promise<void> {
    await this.queue
      .enqueue(
        queues.catalogSync,
        { v: 1, orgId, integrationId, reason: 'credential' },
        { jobId: `credential-${integrationId}-${Date.now()}` },
      )
      .catch((err: unknown) => this.log.warn({ err, integrationId }, 'no sync after a consent'));
  }
}
