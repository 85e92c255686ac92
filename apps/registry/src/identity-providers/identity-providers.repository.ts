import { Injectable } from '@nestjs/common';
import type { PlatformError } from '@switchyard/contracts';
import { DataSource, MoreThan, Not } from 'typeorm';
import type { EntityManager } from 'typeorm';
import { IdentityProviderEntity } from './identity-provider.entity.js';

export type ProviderChanges = Partial<Omit<IdentityProviderEntity, 'id' | 'organizationId' | 'createdAt'>>;

/** `refuse`: what to throw where another organization trusts the issuer; null: it does not matter. */
export type IssuerClaim = {
  readonly issuer: string;
  readonly organizationId: string;
  readonly refuse: (() => PlatformError) | null;
};

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

  async insert(provider: IdentityProviderEntity, claim: IssuerClaim): Promise<void> {
    await this.claimed(claim, (manager) => manager.insert(IdentityProviderEntity, provider));
  }

  /** Without a claim where neither issuer nor audience changes. */
  async update(
    organizationId: string,
    id: string,
    changes: ProviderChanges,
    claim: IssuerClaim | null,
  ): Promise<void> {
    const write = (manager: EntityManager) =>
      manager.update(IdentityProviderEntity, { organizationId, id }, changes);
    await (claim ? this.claimed(claim, write) : write(this.source.manager));
  }

  /** False if there is none. */
  async remove(organizationId: string, id: string): Promise<boolean> {
    const { affected } = await this.source.manager.delete(IdentityProviderEntity, { organizationId, id });
    return affected === 1;
  }

  /** Of two organizations that claim an issuer at once the second waits for the first, and sees it. */
  private async claimed(
    { issuer, organizationId, refuse }: IssuerClaim,
    write: (manager: EntityManager) => Promise<unknown>,
  ): Promise<void> {
    await this.source.transaction(async (manager) => {
      await manager.query(`SELECT pg_advisory_xact_lock(hashtextextended('registry.issuer:' || $1, 0))`, [
        issuer,
      ]);
      const others = { issuer, organizationId: Not(organizationId) };
      if (refuse && (await manager.countBy(IdentityProviderEntity, others)) > 0) throw refuse();
      await write(manager);
    });
  }
}
