import {
  type CatalogSyncJob,
  type CatalogSyncOutcome,
  PlatformError,
  toPlatformError,
} from '@switchyard/contracts';
import { Log } from '@switchyard/service-kit';
import { judgeFeatures } from '../catalog/listed-feature.js';
import { judgeList } from '../catalog/listed-tool.js';
import type { SyncSettings } from '../config.js';
import { IntegrationsRepository, type SyncedIntegration } from '../integrations/integrations.repository.js';
import { describeFailure } from '../states/describe-failure.js';
import { AttemptError, type Failure } from '../states/failure.js';
import { UpstreamsService } from '../upstreams/upstreams.service.js';
import { type Claim, ClaimsRepository, renewEveryMs } from './claims.repository.js';
import { type CompleteList, SyncResultsService } from './sync-results.service.js';

export type SyncsParts = {
  readonly integrations: IntegrationsRepository;
  readonly claims: ClaimsRepository;
  readonly upstreams: UpstreamsService;
  readonly results: SyncResultsService;
  readonly log: Log;
  readonly settings: SyncSettings;
};

type Found = { readonly list: CompleteList } | { readonly failure: Failure };

/** Brings one integration's tools up to date: load → claim → connect and list → judge → write. */
export class SyncsService {
  constructor(private readonly parts: SyncsParts) {}

  /** `busy` while another sync of the integration runs: it may have listed before whatever this one is about. */
  async sync(job: CatalogSyncJob, signal: AbortSignal): Promise<CatalogSyncOutcome | 'busy'> {
    const integration = await this.parts.integrations.find(job.integrationId);
    if (integration?.orgId !== job.orgId) return { status: 'skipped', why: 'There is no such integration.' };
    if (!integration.enabled) return { status: 'skipped', why: 'The integration is disabled.' };
    const claim = await this.parts.claims.claim(integration);
    if (!claim) return 'busy';
    const renewing = setInterval(() => this.#renew(integration.id, claim), renewEveryMs);
    try {
      const found = await this.#look(integration, job.reason, signal);
      if ('failure' in found) return await this.parts.results.failed(integration, claim, found.failure);
      return await this.parts.results.succeeded(integration, claim, found.list);
    } finally {
      clearInterval(renewing);
      await this.parts.claims
        .release(integration.id, claim)
        .catch((err: unknown) => this.parts.log.warn({ err }, 'a claim was not released'));
    }
  }

  async #look(
    integration: SyncedIntegration,
    reason: CatalogSyncJob['reason'],
    signal: AbortSignal,
  ): Promise<Found> {
    try {
      return { list: await this.#list(integration, reason === 'reconnect', signal) };
    } catch (thrown) {
      // Who aborts is us: that says nothing about the upstream.
      if (signal.aborted) throw new PlatformError('cancelled', { cause: thrown });
      return { failure: this.#describe(thrown, { slug: integration.slug, reason }) };
    }
  }

  /** What nobody foresaw is recorded too: an upstream must not be able to keep its integration `connecting` for ever. */
  #describe(thrown: unknown, about: object): Failure {
    if (thrown instanceof AttemptError) {
      this.parts.log.info({ ...about, failure: thrown.failure }, 'a sync failed');
      return thrown.failure;
    }
    this.parts.log.error({ ...about, err: thrown }, 'a sync broke');
    return describeFailure(toPlatformError(thrown).toInfo(), { stage: 'list', secrets: [] });
  }

  async #list(integration: SyncedIntegration, restart: boolean, signal: AbortSignal): Promise<CompleteList> {
    const { connectTimeoutMs, listTimeoutMs, maxTools } = this.parts.settings;
    const link = await this.parts.upstreams.open(integration, {
      timeoutMs: connectTimeoutMs,
      signal,
      restart,
    });
    try {
      const {
        tools: wires,
        upstream,
        features,
      } = await link.list({ timeoutMs: listTimeoutMs, maxTools, signal });
      const mirrorsHeaders = upstream.era === 'modern' && integration.transport.type === 'http';
      const { tools, dropped } = judgeList(integration.slug, wires, { mirrorsHeaders });
      if (dropped > 0)
        this.parts.log.warn(
          { slug: integration.slug, dropped },
          'tools with unusable or repeated names were dropped',
        );
      const listing = features && judgeFeatures(features);
      if (listing && listing.problems.length > 0)
        this.parts.log.info(
          { slug: integration.slug, problems: listing.problems },
          'some lists besides that of the tools failed',
        );
      return { tools, upstream, features: listing };
    } finally {
      await link.close();
    }
  }

  #renew(integrationId: string, claim: Claim): void {
    this.parts.claims
      .renew(integrationId, claim)
      .catch((err: unknown) => this.parts.log.warn({ err }, 'a claim was not renewed'));
  }
}
