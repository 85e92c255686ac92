import { Injectable } from '@nestjs/common';
import { slugOf } from '@switchyard/access';
import { PlatformError, queues, topics } from '@switchyard/contracts';
import type { CatalogSyncOutcome } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import type { AdminContext } from '../admin/admin-context.js';
import { ResourceId } from '../http/fields.js';
import type {
  BreakerResetAnswerBody,
  ReconnectAnswerBody,
  SyncAnswerBody,
  SyncOptions,
} from './integration-action.schemas.js';
import { IntegrationFactsRepository } from './integration-facts.repository.js';
import type { IntegrationEntity } from './integration.entity.js';
import { IntegrationsRepository } from './integrations.repository.js';
import { stateOf, toIntegrationAnswer } from './to-integration-answer.js';

const syncWithinMs = 60_000;

/** What an admin does with an integration beside editing it. The work is done by the owners of its state. */
@Injectable()
export class IntegrationActionsService {
  constructor(
    private readonly integrations: IntegrationsRepository,
    private readonly facts: IntegrationFactsRepository,
    private readonly queue: QueueClient,
  ) {}

  async sync(admin: AdminContext, id: string, { wait }: SyncOptions): Promise<SyncAnswerBody> {
    const integration = await this.requireEnabled(admin, id);
    const job = jobOf(integration, 'manual');
    if (wait)
      return outcomeOf(id, await this.queue.request(queues.catalogSync, job, { timeoutMs: syncWithinMs }));
    await this.queue.enqueue(queues.catalogSync, job);
    return { integration_id: id, status: 'queued' };
  }

  /** By id or by slug, as 002 has it. */
  async reconnect(admin: AdminContext, idOrSlug: string): Promise<ReconnectAnswerBody> {
    const integration = await this.requireEnabled(admin, idOrSlug);
    await this.queue.enqueue(queues.catalogSync, jobOf(integration, 'reconnect'));
    const { id, slug } = integration;
    const facts = (await this.facts.of([id])).get(id);
    return { id, slug, state: stateOf(integration, facts?.state), status: 'queued' };
  }

  async resetBreaker(admin: AdminContext, id: string): Promise<BreakerResetAnswerBody> {
    const integration = await this.require(admin, id);
    const { breaker } = toIntegrationAnswer(integration, (await this.facts.of([id])).get(id));
    await this.queue.publish(topics.breakerReset, { integrationId: integration.id });
    return { integration_id: integration.id, status: 'requested', breaker };
  }

  private async requireEnabled(admin: AdminContext, idOrSlug: string): Promise<IntegrationEntity> {
    const integration = await this.require(admin, idOrSlug);
    if (!integration.enabled)
      throw new PlatformError('conflict', { message: 'The integration is disabled.' });
    return integration;
  }

  private async require({ orgId }: AdminContext, idOrSlug: string): Promise<IntegrationEntity> {
    const integration = ResourceId.safeParse(idOrSlug).success
      ? await this.integrations.find(orgId, idOrSlug)
      : await this.integrations.findBySlug(orgId, slugOf(idOrSlug));
    if (!integration) throw new PlatformError('not_found');
    return integration;
  }
}

function jobOf({ id, organizationId }: IntegrationEntity, reason: 'manual' | 'reconnect') {
  return { v: 1, orgId: organizationId, integrationId: id, reason } as const;
}

function outcomeOf(id: string, outcome: CatalogSyncOutcome): SyncAnswerBody {
  if (outcome.status !== 'synced') return { integration_id: id, ...outcome };
  return { integration_id: id, status: 'synced', tool_count: outcome.toolCount, changed: outcome.changed };
}
