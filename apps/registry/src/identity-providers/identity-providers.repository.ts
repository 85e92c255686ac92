import { Injectable } from '@nestjs/common';
import { DataSource, MoreThan } from 'typeorm';
import { IdentityProviderEntity } from './identity-provider.entity.js';

export type ProviderChanges = Partial<Omit<IdentityProviderEntity, 'id' | 'organizationId' | 'createdAt'>>;

/** Every read and write is of one organization, but `enabled`. */
@Injectable()
export class IdentityProvidersRepository {
  constructor(private readonly source: DataSource) {}

  async find(organizationId: string, id: string): Promise<IdentityProviderEntity | null> {
    return this.source.manager.findOneBy(IdentityProviderEntity, { organizationId, id });
  }

  async list(organizationId: string, limit: number, afterId?: string): Promise<IdentityProviderEntity[]> {
    const where = { organizationId, ...(afterId && { id: MoreThan(afterId) }) };
    return this.source.manager.find(IdentityProviderEntity, { where, order: { id: 'ASC' }, take: limit });
  }

  /** Those of all organizations: which of them a token belongs to, the token says. */
  async enabled(): Promise<IdentityProviderEntity[]> {
    return this.source.manager.findBy(IdentityProviderEntity, { enabled: true });
  }

  async insert(provider: IdentityProviderEntity): Promise<void> {
    await this.source.manager.insert(IdentityProviderEntity, provider);
  }

  async update(organizationId: string, id: string, changes: ProviderChanges): Promise<void> {
    await this.source.manager.update(IdentityProviderEntity, { organizationId, id }, changes);
  }

  /** False if there is none. */
  async remove(organizationId: string, id: string): Promise<boolean> {
    const { affected } = await this.source.manager.delete(IdentityProviderEntity, { organizationId, id });
    return affected === 1;
  }
}
