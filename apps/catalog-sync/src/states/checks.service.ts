import { Sql } from '@switchyard/database';
import type { SyncedIntegration } from '../integrations/integrations.repository.js';
import type { BackOffSettings } from './back-off.js';
import { CatalogNewsService } from './catalog-news.service.js';
import type { Failure } from './failure.js';
import { isVisibleChange } from './is-visible-change.js';
import { nextStanding, type Standing, type StandingEvent, type StandingSettings } from './next-standing.js';
import { nextSyncAt } from './next-sync-at.js';
import { StatesRepository } from './states.repository.js';

export type StateSettings = StandingSettings & BackOffSettings;

/** Records what the checks of an upstream's health found. */
export class ChecksService {
  constructor(
    private readonly sql: Sql,
    private readonly states: StatesRepository,
    private readonly news: CatalogNewsService,
    private readonly settings: StateSettings,
  ) {}

  async passed(integration: SyncedIntegration): Promise<Standing | null> {
    return this.#apply(integration, () => ({ kind: 'checked' }));
  }

  async failed(integration: SyncedIntegration, failure: Failure): Promise<Standing | null> {
    return this.#apply(integration, (at) => ({ kind: 'check_failed', failure, at }));
  }

  /** The new standing; null when the integration is gone. A check only speaks of an integration that is served. */
  async #apply(
    integration: SyncedIntegration,
    eventAt: (now: Date) => StandingEvent,
  ): Promise<Standing | null> {
    const done = await this.sql.transaction(async (sql) => {
      const row = await this.states.lock(sql, integration.id);
      if (row?.state !== 'connected' && row?.state !== 'unstable')
        return row && { standing: row, isNews: false };
      const event = eventAt(row.now);
      const standing = nextStanding(row, event, this.settings);
      const plan = { ...integration, standing, event, before: row.nextSyncAt, now: row.now };
      await this.states.save(sql, integration.id, { standing, nextSyncAt: nextSyncAt(plan, this.settings) });
      const isNews = isVisibleChange(row, standing);
      if (isNews) await this.states.bump(sql, [integration.id]);
      return { standing, isNews };
    });
    if (done?.isNews) {
      const { id: integrationId, orgId } = integration;
      await this.news.publish({ orgId, integrationId, state: done.standing.state, toolsChanged: false });
    }
    return done && done.standing;
  }
}
