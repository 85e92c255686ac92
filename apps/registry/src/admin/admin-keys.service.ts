import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { DEFAULT_ORGANIZATION_ID } from '@switchyard/contracts';
import type { EntityManager } from 'typeorm';
import { REGISTRY_CONFIG } from '../config.js';
import type { RegistryConfig } from '../config.js';
import { OrganizationsRepository } from '../organizations/organizations.repository.js';
import type { AdminContext } from './admin-context.js';
import { AdminKeysRepository } from './admin-keys.repository.js';

@Injectable()
export class AdminKeysService {
  private readonly operatorDigest: Buffer;

  constructor(
    private readonly keys: AdminKeysRepository,
    private readonly organizations: OrganizationsRepository,
    @Inject(REGISTRY_CONFIG) config: Pick<RegistryConfig, 'operatorKey'>,
  ) {
    this.operatorDigest = sha256(config.operatorKey.reveal());
  }

  /**
   * Whose key it is. Digests are compared, the operator's in constant time, and organizations' keys are found by
   * theirs: how long it takes tells nothing about a key that is not yet known.
   */
  async authenticate(key: string): Promise<AdminContext | undefined> {
    const digest = sha256(key);
    const isOperator = timingSafeEqual(digest, this.operatorDigest);
    const orgId = isOperator
      ? DEFAULT_ORGANIZATION_ID
      : await this.keys.findOrganization(digest.toString('hex'));
    const organization = orgId && (await this.organizations.find(orgId));
    if (!organization) return undefined;
    const { id, slug } = organization;
    return { orgId: id, orgSlug: slug, isOperator, actor: { kind: 'admin', id: null } };
  }

  /** Makes the organization's key, which replaces the one before. Nobody can read it again. */
  async issue(organizationId: string, manager?: EntityManager): Promise<string> {
    const key = `ak_${randomBytes(32).toString('base64url')}`;
    await this.keys.put(organizationId, sha256(key).toString('hex'), manager);
    return key;
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
