import { Injectable } from '@nestjs/common';
import { PlatformError } from '@switchyard/contracts';
import { v7 as uuidv7 } from 'uuid';
import { decodeCursor, toPage } from '@switchyard/service-kit';
import type { Page, PageQuery } from '@switchyard/service-kit';
import { AdminKeysService } from '../admin/admin-keys.service.js';
import type { AdminContext } from '../admin/admin-context.js';
import { ChangesService } from '../changes/changes.service.js';
import { ResourceId } from '../http/fields.js';
import { refuseTakenSlug } from '../http/constraint-violation.js';
import type { OrganizationEntity } from './organization.entity.js';
import type {
  AdminKeyAnswerBody,
  CreateOrganizationBody,
  OrganizationAnswerBody,
  UpdateOrganizationBody,
} from './organization.schemas.js';
import { OrganizationsRepository } from './organizations.repository.js';

@Injectable()
export class OrganizationsService {
  constructor(
    private readonly organizations: OrganizationsRepository,
    private readonly adminKeys: AdminKeysService,
    private readonly changes: ChangesService,
  ) {}

  async list(admin: AdminContext, { limit, cursor }: PageQuery): Promise<Page<OrganizationAnswerBody>> {
    requireOperator(admin);
    const afterId = cursor === undefined ? undefined : decodeCursor(ResourceId, cursor);
    const rows = await this.organizations.list(limit + 1, afterId);
    return toPage(rows, limit, { item: toAnswer, position: ({ id }) => id });
  }

  async create(admin: AdminContext, body: CreateOrganizationBody): Promise<AdminKeyAnswerBody> {
    requireOperator(admin);
    const organization = { ...body, id: uuidv7(), userRateLimit: null, createdAt: new Date() };
    let key = '';
    await refuseTakenSlug(() =>
      this.organizations.insert(organization, async (manager) => {
        key = await this.adminKeys.issue(organization.id, manager);
      }),
    );
    await this.changes.announce({
      entity: 'organization',
      change: 'created',
      orgId: organization.id,
      id: organization.id,
    });
    return { ...toAnswer(organization), admin_key: key };
  }

  async get(admin: AdminContext, id: string): Promise<OrganizationAnswerBody> {
    return toAnswer(await this.requireOwn(admin, id));
  }

  async update(
    admin: AdminContext,
    id: string,
    body: UpdateOrganizationBody,
  ): Promise<OrganizationAnswerBody> {
    await this.requireOwn(admin, id);
    await this.organizations.update(id, { name: body.name, userRateLimit: body.user_rate_limit });
    await this.changes.announce({ entity: 'organization', change: 'updated', orgId: id, id });
    return this.get(admin, id);
  }

  /** The key before stops working at once. */
  async rotateAdminKey(admin: AdminContext, id: string): Promise<AdminKeyAnswerBody> {
    const organization = await this.requireOwn(admin, id);
    return { ...toAnswer(organization), admin_key: await this.adminKeys.issue(organization.id) };
  }

  private async requireOwn(admin: AdminContext, id: string): Promise<OrganizationEntity> {
    const organization = admin.isOperator || admin.orgId === id ? await this.organizations.find(id) : null;
    if (!organization) throw new PlatformError('not_found');
    return organization;
  }
}

function requireOperator({ isOperator }: AdminContext): void {
  if (!isOperator)
    throw new PlatformError('forbidden', { message: 'Only the operator’s admin key manages organizations.' });
}

function toAnswer({ id, slug, name, userRateLimit, createdAt }: OrganizationEntity): OrganizationAnswerBody {
  return { id, slug, name, user_rate_limit: userRateLimit, created_at: createdAt.toISOString() };
}
