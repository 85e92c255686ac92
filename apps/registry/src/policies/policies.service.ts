import { Injectable } from '@nestjs/common';
import { PlatformError } from '@switchyard/contracts';
import { decodeCursor, toPage } from '@switchyard/service-kit';
import type { Page, PageQuery } from '@switchyard/service-kit';
import { v7 as uuidv7 } from 'uuid';
import type { AdminContext } from '../admin/admin-context.js';
import { ChangesService } from '../changes/changes.service.js';
import { ResourceId } from '../http/fields.js';
import { McpConfigsService } from '../mcp-configs/mcp-configs.service.js';
import { PoliciesRepository } from './policies.repository.js';
import type { PolicyEntity } from './policy.entity.js';
import type { CreatePolicyBody, PolicyAnswerBody, UpdatePolicyBody } from './policy.schemas.js';

/** What signed-in users may use, by their roles. */
@Injectable()
export class PoliciesService {
  constructor(
    private readonly policies: PoliciesRepository,
    private readonly configs: McpConfigsService,
    private readonly changes: ChangesService,
  ) {}

  async create({ orgId }: AdminContext, body: CreatePolicyBody): Promise<PolicyAnswerBody> {
    const now = new Date();
    const row: PolicyEntity = {
      id: uuidv7(),
      organizationId: orgId,
      name: body.name,
      roles: body.roles,
      mcpConfigs: body.mcp_configs,
      isActive: body.is_active,
      createdAt: now,
      updatedAt: now,
    };
    await this.policies.insert(row);
    await this.tell(row, 'created');
    return { ...toAnswer(row), ...(await this.configs.warnings(orgId, row.mcpConfigs)) };
  }

  async list({ orgId }: AdminContext, { limit, cursor }: PageQuery): Promise<Page<PolicyAnswerBody>> {
    const afterId = cursor === undefined ? undefined : decodeCursor(ResourceId, cursor);
    const rows = await this.policies.list(orgId, limit + 1, afterId);
    return toPage(rows, limit, { item: toAnswer, position: ({ id }) => id });
  }

  async get(admin: AdminContext, id: string): Promise<PolicyAnswerBody> {
    return toAnswer(await this.require(admin, id));
  }

  async update(admin: AdminContext, id: string, body: UpdatePolicyBody): Promise<PolicyAnswerBody> {
    const before = await this.require(admin, id);
    await this.policies.update(admin.orgId, id, {
      name: body.name,
      roles: body.roles,
      mcpConfigs: body.mcp_configs,
      isActive: body.is_active,
      updatedAt: new Date(),
    });
    await this.tell(before, 'updated');
    const warnings = await this.configs.warnings(admin.orgId, body.mcp_configs ?? []);
    return { ...(await this.get(admin, id)), ...warnings };
  }

  async remove(admin: AdminContext, id: string): Promise<void> {
    const row = await this.require(admin, id);
    if (await this.policies.remove(admin.orgId, id)) await this.tell(row, 'deleted');
  }

  private async require({ orgId }: AdminContext, id: string): Promise<PolicyEntity> {
    const row = await this.policies.find(orgId, id);
    if (!row) throw new PlatformError('not_found');
    return row;
  }

  private async tell(
    { id, organizationId }: PolicyEntity,
    change: 'created' | 'updated' | 'deleted',
  ): Promise<void> {
    await this.changes.announce({ entity: 'policy', change, orgId: organizationId, id });
  }
}

function toAnswer(row: PolicyEntity): PolicyAnswerBody {
  return {
    id: row.id,
    organization_id: row.organizationId,
    name: row.name,
    roles: row.roles,
    mcp_configs: row.mcpConfigs,
    is_active: row.isActive,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  };
}
