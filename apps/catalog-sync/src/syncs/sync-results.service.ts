import { type CatalogSyncOutcome, type UpstreamDescription } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import { canonicalJson } from '@switchyard/queue';
import { ApprovalsRepository } from '../approvals/approvals.repository.js';
import { type CatalogDiff, diffCatalog } from '../catalog/diff-catalog.js';
import { FeaturesRepository } from '../catalog/features.repository.js';
import type { FeatureListing } from '../catalog/listed-feature.js';
import type { ListedTool } from '../catalog/listed-tool.js';
import { ToolsRepository } from '../catalog/tools.repository.js';
import { IntegrationsRepository, type SyncedIntegration } from '../integrations/integrations.repository.js';
import { CatalogNewsService } from '../states/catalog-news.service.js';
import type { StateSettings } from '../states/checks.service.js';
import type { Failure } from '../states/failure.js';
import { isVisibleChange } from '../states/is-visible-change.js';
import { nextStanding, type Standing, type StandingEvent } from '../states/next-standing.js';
import { nextSyncAt } from '../states/next-sync-at.js';
import { ownWords, type StateChange, type StateRow, StatesRepository } from '../states/states.repository.js';
import type { Claim } from './claims.repository.js';

export type CompleteList = {
  readonly tools: readonly ListedTool[];
  readonly upstream: UpstreamDescription;
  readonly features?: FeatureListing;
};

const superseded = {
  status: 'skipped',
  why: 'The integration was edited, disabled or synced anew meanwhile.',
} as const;

type Written = {
  readonly outcome: CatalogSyncOutcome;
  readonly standing?: Standing;
  readonly isNews?: boolean;
  readonly toolsChanged?: boolean;
  readonly featuresChanged?: boolean;
};

export type SyncResultsParts = {
  readonly sql: Sql;
  readonly integrations: IntegrationsRepository;
  readonly states: StatesRepository;
  readonly tools: ToolsRepository;
  readonly approvals: ApprovalsRepository;
  readonly features: FeaturesRepository;
  readonly news: CatalogNewsService;
  readonly settings: StateSettings;
};

/** Writes what a sync found: in one transaction, and only while it is the newest about the newest configuration. */
export class SyncResultsService {
  constructor(private readonly parts: SyncResultsParts) {}

  async succeeded(
    integration: SyncedIntegration,
    claim: Claim,
    list: CompleteList,
  ): Promise<CatalogSyncOutcome> {
    return this.#write(integration, claim, async (sql, row) => {
      const diff = await this.#store(sql, integration, list.tools);
      const { upstream, features } = list;
      const listsChanged =
        features !== undefined &&
        (await this.parts.features.replace(sql, integration, features, {
          isOtherServer: row.syncedTarget !== integration.target,
        }));
      const synced = { toolCount: diff.toolCount, target: integration.target, upstream, features };
      const featuresChanged = listsChanged || saysOther(row, synced);
      const after = await this.#save(sql, integration, { row, event: { kind: 'synced' }, synced });
      const countChanged = row.toolCount !== diff.toolCount;
      const isNews = diff.isChanged || featuresChanged || countChanged || isVisibleChange(row, after);
      return {
        outcome: {
          status: 'synced',
          toolCount: diff.toolCount,
          changed: diff.isChanged || listsChanged,
        },
        standing: after,
        isNews,
        toolsChanged: diff.isChanged,
        featuresChanged,
      };
    });
  }

  /** Leaves the tools as they are. */
  async failed(integration: SyncedIntegration, claim: Claim, failure: Failure): Promise<CatalogSyncOutcome> {
    return this.#write(integration, claim, async (sql, row) => {
      const isFirst = row.syncedTarget !== integration.target;
      const after = await this.#save(sql, integration, {
        row,
        event: { kind: 'sync_failed', failure, at: row.now, isFirst },
      });
      const { stage, code, message } = failure;
      const at = row.now.toISOString();
      const described = after.lastFailure ?? { stage, code, message, at, since: at };
      return {
        outcome: { status: 'failed', failure: described },
        standing: after,
        isNews: isVisibleChange(row, after),
      };
    });
  }

  async #write(
    integration: SyncedIntegration,
    claim: Claim,
    work: (sql: Sql, row: StateRow) => Promise<Written>,
  ): Promise<CatalogSyncOutcome> {
    const { id: integrationId, orgId } = integration;
    const {
      outcome,
      standing,
      isNews = false,
      toolsChanged = false,
      featuresChanged = false,
    } = await this.parts.sql.transaction(async (sql) => {
      const row = await this.parts.states.lock(sql, integrationId);
      const version = await this.parts.integrations.enabledVersion(sql, integrationId);
      if (row?.generation !== claim.generation || version !== integration.version)
        return { outcome: superseded } as Written;
      const isRepinned = await this.#followPin(sql, integration, row);
      const written = await work(sql, row);
      const isNews = written.isNews === true || isRepinned;
      if (isNews) await this.parts.states.bump(sql, [integrationId]);
      return { ...written, isNews, toolsChanged: written.toolsChanged === true || isRepinned };
    });
    if (isNews && standing)
      await this.parts.news.publish({
        ...{ orgId, integrationId, state: standing.state, toolsChanged },
        ...(featuresChanged && { featuresChanged }),
      });
    return outcome;
  }

  /** A pin that was switched on or off begins with all that is there approved as it is. */
  async #followPin(sql: Sql, { id, pinned }: SyncedIntegration, row: StateRow): Promise<boolean> {
    if (pinned === row.pinned) return false;
    await this.parts.approvals.approve(sql, id, null);
    await this.parts.states.notePinned(sql, id, pinned);
    return true;
  }

  async #store(
    sql: Sql,
    integration: SyncedIntegration,
    listed: readonly ListedTool[],
  ): Promise<CatalogDiff> {
    const diff = diffCatalog(await this.parts.tools.list(sql, integration.id), listed);
    await this.parts.tools.write(sql, integration, diff.writes);
    await this.parts.tools.disableVanished(sql, integration.id, diff.vanished);
    await this.parts.tools.markSeen(
      sql,
      integration.id,
      listed.map(({ name }) => name),
    );
    // Without a pin whatever the upstream lists is served, and so counts as approved.
    if (!integration.pinned) await this.parts.approvals.approve(sql, integration.id, null);
    return diff;
  }

  async #save(
    sql: Sql,
    integration: SyncedIntegration,
    found: { row: StateRow; event: StandingEvent; synced?: StateChange['synced'] },
  ): Promise<Standing> {
    const { row, event, synced } = found;
    const standing = nextStanding(row, event, this.parts.settings);
    const plan = { ...integration, standing, event, before: row.nextSyncAt, now: row.now };
    await this.parts.states.save(sql, integration.id, {
      standing,
      nextSyncAt: nextSyncAt(plan, this.parts.settings),
      synced,
    });
    return standing;
  }
}

/** Whether the server says other things of itself than at the last sync. */
function saysOther(row: StateRow, synced: NonNullable<StateChange['synced']>): boolean {
  const { instructions, capabilities } = ownWords(synced);
  return row.instructions !== instructions || canonicalJson(row.capabilities) !== canonicalJson(capabilities);
}
