import { Injectable } from '@nestjs/common';
import { DataSource, In, IsNull } from 'typeorm';
import { VirtualKeyEntity } from './virtual-key.entity.js';
import type { ListVirtualKeysQuery } from './virtual-key.schemas.js';

export type VirtualKeyFilter = {
  status?: ListVirtualKeysQuery['status'];
  userId?: string;
  afterId?: string;
};
type Changes = Partial<
  Pick<VirtualKeyEntity, 'name' | 'mcpConfigs' | 'expiresAt' | 'rateLimit' | 'toolMode'>
>;

const isStatus = {
  active: 'k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())',
  expired: 'k.revoked_at IS NULL AND k.expires_at <= now()',
  revoked: 'k.revoked_at IS NOT NULL',
};

/** Every read and write is of one organization. */
@Injectable()
export class VirtualKeysRepository {
  constructor(private readonly source: DataSource) {}

  async find(organizationId: string, id: string): Promise<VirtualKeyEntity | null> {
    return this.source.manager.findOneBy(VirtualKeyEntity, { organizationId, id });
  }

  /** Which of the ids are the organization's. */
  async known(organizationId: string, ids: readonly string[]): Promise<Set<string>> {
    const where = { organizationId, id: In([...ids]) };
    const rows = await this.source.manager.find(VirtualKeyEntity, { where, select: { id: true } });
    return new Set(rows.map(({ id }) => id));
  }

  async list(
    organizationId: string,
    limit: number,
    { status, userId, afterId }: VirtualKeyFilter,
  ): Promise<VirtualKeyEntity[]> {
    const query = this.source.manager
      .createQueryBuilder(VirtualKeyEntity, 'k')
      .where('k.organizationId = :organizationId', { organizationId })
      .orderBy('k.id')
      .limit(limit);
    if (afterId) query.andWhere('k.id > :afterId', { afterId });
    if (userId) query.andWhere('k.userId = :userId', { userId });
    if (status) query.andWhere(isStatus[status]);
    return query.getMany();
  }

  async insert(key: VirtualKeyEntity): Promise<void> {
    await this.source.manager.insert(VirtualKeyEntity, key);
  }

  /** Changes a key that is not revoked; false if there is none. */
  async update(organizationId: string, id: string, changes: Changes): Promise<boolean> {
    const { affected } = await this.source.manager.update(
      VirtualKeyEntity,
      { organizationId, id, revokedAt: IsNull() },
      changes,
    );
    return affected === 1;
  }

  /** Revokes a key; false if it is revoked already. */
  async revoke(organizationId: string, id: string): Promise<boolean> {
    const changes = { revokedAt: new Date() };
    const { affected } = await this.source.manager.update(
      VirtualKeyEntity,
      { organizationId, id, revokedAt: IsNull() },
      changes,
    );
    return affected === 1;
  }
}
