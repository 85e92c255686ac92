import { Injectable } from '@nestjs/common';
import { DataSource, In, MoreThan } from 'typeorm';
import { ToolGroupEntity } from './tool-group.entity.js';

export type ToolGroupChanges = Partial<
  Pick<ToolGroupEntity, 'name' | 'selectors' | 'include' | 'exclude' | 'updatedAt'>
>;

/** Every read and write is of one organization. */
@Injectable()
export class ToolGroupsRepository {
  constructor(private readonly source: DataSource) {}

  async find(organizationId: string, id: string): Promise<ToolGroupEntity | null> {
    return this.source.manager.findOneBy(ToolGroupEntity, { organizationId, id });
  }

  /** Which of the ids are groups of the organization. */
  async known(organizationId: string, ids: readonly string[]): Promise<Set<string>> {
    const where = { organizationId, id: In([...ids]) };
    const rows = await this.source.manager.find(ToolGroupEntity, { where, select: { id: true } });
    return new Set(rows.map(({ id }) => id));
  }

  async list(organizationId: string, limit: number, afterId?: string): Promise<ToolGroupEntity[]> {
    const where = { organizationId, ...(afterId && { id: MoreThan(afterId) }) };
    return this.source.manager.find(ToolGroupEntity, { where, order: { id: 'ASC' }, take: limit });
  }

  async insert(group: ToolGroupEntity): Promise<void> {
    await this.source.manager.insert(ToolGroupEntity, group);
  }

  async update(organizationId: string, id: string, changes: ToolGroupChanges): Promise<void> {
    await this.source.manager.update(ToolGroupEntity, { organizationId, id }, changes);
  }

  /** False if there is none. */
  async remove(organizationId: string, id: string): Promise<boolean> {
    const { affected } = await this.source.manager.delete(ToolGroupEntity, { organizationId, id });
    return affected === 1;
  }
}
