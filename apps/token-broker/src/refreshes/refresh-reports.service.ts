import { Injectable } from '@nestjs/common';
import { Log, Metrics } from '@switchyard/service-kit';
import { AuditLogService } from '../audit/audit-log.service.js';
import type { Credential } from '../credentials/credential.js';
import { CredentialNewsService } from '../credentials/credential-news.service.js';
import type { LeasedIntegration } from '../integrations/integrations.repository.js';
import type { RefreshOutcome } from './refreshes.service.js';

const said = {
  fresh: { action: 'credential_refreshed', result: 'ok' },
  dead: { action: 'refresh_failed', result: 'refused' },
  refused: { action: 'refresh_failed', result: 'refused' },
  unavailable: { action: 'refresh_failed', result: 'failed' },
} as const;

/** Says what a refresh came to: audit, metric, and the bus where the state is another. */
@Injectable()
export class RefreshReportsService {
  constructor(
    private readonly audit: AuditLogService,
    private readonly news: CredentialNewsService,
    private readonly metrics: Metrics,
    private readonly log: Log,
  ) {}

  async report(
    integration: LeasedIntegration,
    { id, orgId, userId, state }: Credential,
    outcome: RefreshOutcome,
  ): Promise<void> {
    this.#count(outcome.status);
    if (outcome.status === 'gone' || outcome.status === 'meanwhile') return;
    const { action, result } = said[outcome.status];
    const now = 'row' in outcome ? outcome.row.credential.state : 'needs_reauth';
    if (outcome.status === 'dead' || ('row' in outcome && now !== state))
      await this.news.tell({ orgId, integrationId: integration.id, userId, state: now });
    this.log.info({ credentialId: id, integrationId: integration.id, outcome: outcome.status }, 'refresh');
    // The tokens are what they are by now, whether or not it can be written down.
    await this.audit.note({
      orgId,
      action,
      result,
      actor: { kind: 'service', id: 'token-broker' },
      userId,
      integrationId: integration.id,
      details: 'reason' in outcome ? { reason: outcome.reason } : { version: outcome.row.credential.version },
    });
  }

  #count(outcome: RefreshOutcome['status']): void {
    this.metrics
      .counter({
        name: 'switchyard_refreshes_total',
        help: 'Refreshes of stored credentials, by outcome; meanwhile: another broker had done it.',
        labelNames: ['outcome'],
      })
      .inc({ outcome });
  }
}
