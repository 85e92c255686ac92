import { Injectable } from '@nestjs/common';
import { type CatalogSyncJob, type IntegrationState, queues } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import type { SyncedIntegration } from '../integrations/integrations.repository.js';

export type DueSync = {
  readonly state: IntegrationState;
  readonly nextSyncAt: Date;
  readonly attemptedVersion: number | null;
};

/** A job that is in the queue already is not offered to it again with each tick. */
const repeatAfterMs = 15_000;

/** Asks for syncs of integrations that this replica watches. */
@Injectable()
export class SyncRequestsService {
  readonly #asked = new Map<string, number>();

  constructor(private readonly queue: QueueClient) {}

  /** The id follows from the time at which the sync is due: two replicas, or two ticks, make one job. */
  async due(integration: SyncedIntegration, due: DueSync): Promise<void> {
    const reason = reasonOf(integration, due);
    const jobId = `${reason}-${integration.id}-${due.nextSyncAt.getTime()}`;
    if (!this.#isNew(jobId)) return;
    await this.#enqueue(integration, reason, jobId).catch((error: unknown) => {
      this.#asked.delete(jobId);
      throw error;
    });
  }

  /** Each change is a job of its own: one that runs already may have listed before it. */
  async changed(integration: SyncedIntegration): Promise<void> {
    await this.#enqueue(integration, 'list_changed', `list-changed-${integration.id}-${Date.now()}`);
  }

  async #enqueue(
    { id: integrationId, orgId }: SyncedIntegration,
    reason: CatalogSyncJob['reason'],
    jobId: string,
  ): Promise<void> {
    await this.queue.enqueue(queues.catalogSync, { v: 1, orgId, integrationId, reason }, { jobId });
  }

  #isNew(jobId: string): boolean {
    const now = Date.now();
    for (const [asked, at] of this.#asked) if (at + repeatAfterMs < now) this.#asked.delete(asked);
    if (this.#asked.has(jobId)) return false;
    this.#asked.set(jobId, now);
    return true;
  }
}

function reasonOf(
  { version }: SyncedIntegration,
  { state, attemptedVersion }: DueSync,
): CatalogSyncJob['reason'] {
  if (state === 'connecting') return 'connect';
  if (attemptedVersion !== null && attemptedVersion !== version) return 'config_edit';
  return state === 'disconnected' || state === 'needs_reauth' ? 'reconnect' : 'interval';
}
