import { Injectable } from '@nestjs/common';
import { LOCAL_KIND, PlatformError } from '@switchyard/contracts';
import type { IntegrationState } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import { DataSource, IsNull } from 'typeorm';
import { IntegrationEntity } from './integration.entity.js';

export type IntegrationFilter = { state?: IntegrationState; slug?: string; afterId?: string };

/** A row that nobody else can change now, and the transaction's own connection. */
export type LockedIntegration = {
  readonly row: IntegrationEntity;
  readonly sql: Sql;
  replace(next: IntegrationEntity): Promise<void>;
  remove(): Promise<void>;
};

/** As `stateOf` has it. */
const shownState = `CASE WHEN NOT i.enabled THEN 'disabled' ELSE coalesce(
  (SELECT nullif(s.state, 'disabled') FROM catalog.v_integration_states s WHERE s.integration_id = i.id), 'connecting') END`;

/** Every read and write is of one organization. */
@Injectable()
export class IntegrationsRepository {
  constructor(
    private readonly source: DataSource,
    private readonly sql: Sql,
  ) {}

  async find(organizationId: string, id: string): Promise<IntegrationEntity | null> {
    return this.source.manager.findOneBy(IntegrationEntity, { organizationId, id });
  }

  /** A user's own integration may have the slug of the organization's: without an owner it is the organization's. */
  async findBySlug(
    organizationId: string,
    slug: string,
    ownerUserId: string | null = null,
  ): Promise<IntegrationEntity | null> {
    const owner = { ownerUserId: ownerUserId ?? IsNull() };
    return this.source.manager.findOneBy(IntegrationEntity, { organizationId, slug, ...owner });
  }

  /** Of the operator's own functions; there is at most one. */
  async findLocal(organizationId: string): Promise<IntegrationEntity | null> {
    return this.source.manager.findOneBy(IntegrationEntity, { organizationId, kind: LOCAL_KIND });
  }

  /** Slugs that a key of the organization can reach. */
  async visibleSlugs(organizationId: string): Promise<Set<string>> {
    const where = [{ organizationId }, { scope: 'global' as const }];
    const rows = await this.source.manager.find(IntegrationEntity, { where, select: { slug: true } });
    return new Set(rows.map(({ slug }) => slug));
  }

  async list(organizationId: string, limit: number, filter: IntegrationFilter): Promise<IntegrationEntity[]> {
    const query = this.source.manager
      .createQueryBuilder(IntegrationEntity, 'i')
      .where('i.organizationId = :organizationId', { organizationId })
      .orderBy('i.id')
      .limit(limit);
    if (filter.afterId) query.andWhere('i.id > :afterId', { afterId: filter.afterId });
    if (filter.slug) query.andWhere('i.slug = :slug', { slug: filter.slug });
    if (filter.state) query.andWhere(`(${shownState}) = :state`, { state: filter.state });
    return query.getMany();
  }

  async insert(integration: IntegrationEntity): Promise<void> {
    await this.source.manager.insert(IntegrationEntity, integration);
  }

  /** Runs `work` with the row locked against other changes; what it throws leaves the row as it was. */
  async locked<T>(
    organizationId: string,
    id: string,
    work: (locked: LockedIntegration) => Promise<T>,
  ): Promise<T> {
    return this.sql.transaction(async (sql, manager) => {
      const lock = { mode: 'pessimistic_write' } as const;
      const row = await manager.findOne(IntegrationEntity, { where: { organizationId, id }, lock });
      if (!row) throw new PlatformError('not_found');
      const replace = async (next: IntegrationEntity) =>
        void (await manager.update(IntegrationEntity, { id }, next));
      const remove = async () => void (await manager.delete(IntegrationEntity, { id }));
      return work({ row, sql, replace, remove });
    });
  }
}
