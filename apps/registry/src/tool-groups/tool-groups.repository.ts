import { Injectable } from '@nestjs/common';
import { DataSource, In, MoreThan } from 'typeorm';
import type { EntityManager } from 'typeorm';
import { ToolGroupEntity } from './tool-group.entity.js';

export type ToolGroupChanges = Partial<
  Pick<ToolGroupEntity, 'name' | 'selectors' | 'include' | 'exclude' | 'updatedAt'>
>;

/** Throws where what an organization's groups hold does not allow the write. */
export type GroupsCheck = (groups: readonly Pick<ToolGroupEntity, 'id' | 'selectors'>[]) => void;

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

  async insert(group: ToolGroupEntity, check: GroupsCheck): Promise<void> {
    await this.checked(group.organizationId, check, (manager) => manager.insert(ToolGroupEntity, group));
  }

  async update(
    organizationId: string,
    id: string,
    changes: ToolGroupChanges,
    check: GroupsCheck,
  ): Promise<void> {
    await this.checked(organizationId, check, (manager) =>
      manager.update(ToolGroupEntity, { organizationId, id }, changes),
    );
  }

  /** False if there is none. */
  async remove(organizationId: string, id: string): Promise<boolean> {
    const { affected } = await this.source.manager.delete(ToolGroupEntity, { organizationId, id });
    return affected === 1;
  }

  /** Writes while nobody else writes groups of the organization: what all of them hold together is limited. */
  private async checked(
    organizationId: string,
    check: GroupsCheck,
    write: (manager: EntityManager) => Promise<unknown>,
  ): Promise<void> {
    await this.source.transaction(async (manager) => {
      await manager.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
        `tool groups of ${organizationId}`,
      ]);
      const select = { id: true, selectors: true } as const;
      check(await manager.find(ToolGroupEntity, { where: { organizationId }, select }));
      await write(manager);
    });
  }
}
