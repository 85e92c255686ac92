import { Injectable } from '@nestjs/common';
import { DataSource, MoreThan } from 'typeorm';
import { ToolsetEntity } from './toolset.entity.js';

export type ToolsetChanges = Partial<Omit<ToolsetEntity, 'id' | 'organizationId' | 'slug' | 'createdAt'>>;

/** Every read and write is of one organization. */
@Injectable()
export class ToolsetsRepository {
  constructor(private readonly source: DataSource) {}

  async find(organizationId: string, id: string): Promise<ToolsetEntity | null> {
    return this.source.manager.findOneBy(ToolsetEntity, { organizationId, id });
  }

  async list(organizationId: string, limit: number, afterId?: string): Promise<ToolsetEntity[]> {
    const where = { organizationId, ...(afterId && { id: MoreThan(afterId) }) };
    return this.source.manager.find(ToolsetEntity, { where, order: { id: 'ASC' }, take: limit });
  }

  async insert(toolset: ToolsetEntity): Promise<void> {
    await this.source.manager.insert(ToolsetEntity, toolset);
  }

  async update(organizationId: string, id: string, changes: ToolsetChanges): Promise<void> {
    await this.source.manager.update(ToolsetEntity, { organizationId, id }, changes);
  }

  /** False if there is none. */
  async remove(organizationId: string, id: string): Promise<boolean> {
    const { affected } = await this.source.manager.delete(ToolsetEntity, { organizationId, id });
    return affected === 1;
  }
}
