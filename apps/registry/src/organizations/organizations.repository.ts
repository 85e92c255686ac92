import { Injectable } from '@nestjs/common';
import { DataSource, MoreThan } from 'typeorm';
import type { EntityManager } from 'typeorm';
import { OrganizationEntity } from './organization.entity.js';

@Injectable()
export class OrganizationsRepository {
  constructor(private readonly source: DataSource) {}

  async find(id: string): Promise<OrganizationEntity | null> {
    return this.source.manager.findOneBy(OrganizationEntity, { id });
  }

  /** In the order of creation, after the given id. */
  async list(limit: number, afterId: string | undefined): Promise<OrganizationEntity[]> {
    const where = afterId ? { id: MoreThan(afterId) } : {};
    return this.source.manager.find(OrganizationEntity, { where, order: { id: 'ASC' }, take: limit });
  }

  async update(
    id: string,
    changes: Partial<Pick<OrganizationEntity, 'name' | 'userRateLimit'>>,
  ): Promise<void> {
    await this.source.manager.update(OrganizationEntity, { id }, changes);
  }

  /** Inserts inside a transaction, in which `also` runs too. */
  async insert(
    organization: OrganizationEntity,
    also: (manager: EntityManager) => Promise<void>,
  ): Promise<void> {
    await this.source.transaction(async (manager) => {
      await manager.insert(OrganizationEntity, organization);
      await also(manager);
    });
  }
}
