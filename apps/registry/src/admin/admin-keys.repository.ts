import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { EntityManager } from 'typeorm';
import { AdminKeyEntity } from './admin-key.entity.js';

@Injectable()
export class AdminKeysRepository {
  constructor(private readonly source: DataSource) {}

  /** Replaces the key that the organization had. */
  async put(
    organizationId: string,
    keyHash: string,
    manager: EntityManager = this.source.manager,
  ): Promise<void> {
    await manager.upsert(AdminKeyEntity, { organizationId, keyHash, createdAt: new Date() }, [
      'organizationId',
    ]);
  }

  async findOrganization(keyHash: string): Promise<string | undefined> {
    const row = await this.source.manager.findOneBy(AdminKeyEntity, { keyHash });
    return row?.organizationId;
  }
}
