import { Injectable } from '@nestjs/common';
import { ArrayContains, DataSource, In, MoreThan } from 'typeorm';
import { PolicyEntity } from './policy.entity.js';

export type PolicyChanges = Partial<Omit<PolicyEntity, 'id' | 'organizationId' | 'createdAt'>>;

/** Every read and write is of one organization. */
@Injectable()
export class PoliciesRepository {
  constructor(private readonly source: DataSource) {}

  async find(organizationId: string, id: string): Promise<PolicyEntity | null> {
    return this.source.manager.findOneBy(PolicyEntity, { organizationId, id });
  }

  async list(organizationId: string, limit: number, afterId?: string): Promise<PolicyEntity[]> {
    const where = { organizationId, ...(afterId && { id: MoreThan(afterId) }) };
    return this.source.manager.find(PolicyEntity, { where, order: { id: 'ASC' }, take: limit });
  }

  async findAll(organizationId: string, ids: readonly string[]): Promise<PolicyEntity[]> {
    return this.source.manager.findBy(PolicyEntity, { organizationId, id: In([...ids]) });
  }

  /** Names of the policies that speak of a tool group. */
  async namesWithGroup(organizationId: string, groupId: string): Promise<string[]> {
    const where = { organizationId, groupIds: ArrayContains([groupId]) };
    const rows = await this.source.manager.find(PolicyEntity, { where, order: { id: 'ASC' }, take: 5 });
    return rows.map(({ name }) => name);
  }

  async insert(policy: PolicyEntity): Promise<void> {
    await this.source.manager.insert(PolicyEntity, policy);
  }

  async update(organizationId: string, id: string, changes: PolicyChanges): Promise<void> {
    await this.source.manager.update(PolicyEntity, { organizationId, id }, changes);
  }

  /** False if there is none. */
  async remove(organizationId: string, id: string): Promise<boolean> {
    const { affected } = await this.source.manager.delete(PolicyEntity, { organizationId, id });
    return affected === 1;
  }
}
