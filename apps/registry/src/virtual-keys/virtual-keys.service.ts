import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { hashVirtualKey } from '@switchyard/access';
import { PlatformError } from '@switchyard/contracts';
import { decodeCursor, toPage } from '@switchyard/service-kit';
import type { Page } from '@switchyard/service-kit';
import { v7 as uuidv7 } from 'uuid';
import type { AdminContext } from '../admin/admin-context.js';
import { ChangesService } from '../changes/changes.service.js';
import { ResourceId } from '../http/fields.js';
import { McpConfigsService } from '../mcp-configs/mcp-configs.service.js';
import { UsersService } from '../users/users.service.js';
import { toVirtualKeyAnswer } from './to-virtual-key-answer.js';
import type { VirtualKeyEntity } from './virtual-key.entity.js';
import type {
  CreateVirtualKeyBody,
  ListVirtualKeysQuery,
  NewVirtualKeyAnswerBody,
  UpdateVirtualKeyBody,
  VirtualKeyAnswerBody,
} from './virtual-key.schemas.js';
import { VirtualKeysRepository } from './virtual-keys.repository.js';

@Injectable()
export class VirtualKeysService {
  constructor(
    private readonly keys: VirtualKeysRepository,
    private readonly configs: McpConfigsService,
    private readonly users: UsersService,
    private readonly changes: ChangesService,
  ) {}

  /** The key itself is in this answer and nowhere else. */
  async create({ orgId }: AdminContext, body: CreateVirtualKeyBody): Promise<NewVirtualKeyAnswerBody> {
    await this.users.requireActive(orgId, body.user_id, 'user_id');
    const key = `vk_${randomBytes(32).toString('base64url')}`;
    const row: VirtualKeyEntity = {
      id: uuidv7(),
      organizationId: orgId,
      name: body.name,
      userId: body.user_id,
      keyHash: hashVirtualKey(key),
      mcpConfigs: body.mcp_configs,
      rateLimit: body.rate_limit,
      toolMode: body.tool_mode,
      expiresAt: toDate(body.expires_at),
      revokedAt: null,
      createdAt: new Date(),
    };
    const answer = {
      ...toVirtualKeyAnswer(row),
      ...(await this.configs.warnings(orgId, row.mcpConfigs)),
      key,
    };
    await this.keys.insert(row);
    await this.tell(row, 'created');
    return answer;
  }

  async list(
    { orgId }: AdminContext,
    { limit, cursor, status, user_id: userId }: ListVirtualKeysQuery,
  ): Promise<Page<VirtualKeyAnswerBody>> {
    const afterId = cursor === undefined ? undefined : decodeCursor(ResourceId, cursor);
    const rows = await this.keys.list(orgId, limit + 1, { status, userId, afterId });
    return toPage(rows, limit, { item: toVirtualKeyAnswer, position: ({ id }) => id });
  }

  async get(admin: AdminContext, id: string): Promise<VirtualKeyAnswerBody> {
    return toVirtualKeyAnswer(await this.require(admin, id));
  }

  async update(admin: AdminContext, id: string, body: UpdateVirtualKeyBody): Promise<VirtualKeyAnswerBody> {
    const before = await this.require(admin, id);
    const isUpdated = await this.keys.update(admin.orgId, id, {
      name: body.name,
      mcpConfigs: body.mcp_configs,
      rateLimit: body.rate_limit,
      toolMode: body.tool_mode,
      expiresAt: body.expires_at === undefined ? undefined : toDate(body.expires_at),
    });
    if (!isUpdated) throw new PlatformError('conflict', { message: 'The key is revoked.' });
    await this.tell(before, 'updated');
    return {
      ...(await this.get(admin, id)),
      ...(await this.configs.warnings(admin.orgId, body.mcp_configs ?? [])),
    };
  }

  /** Ends the key for good. The row stays, so that the history of its calls can be read. */
  async revoke(admin: AdminContext, id: string): Promise<VirtualKeyAnswerBody> {
    const key = await this.require(admin, id);
    if (await this.keys.revoke(admin.orgId, id)) await this.tell(key, 'revoked');
    return this.get(admin, id);
  }

  private async require({ orgId }: AdminContext, id: string): Promise<VirtualKeyEntity> {
    const key = await this.keys.find(orgId, id);
    if (!key) throw new PlatformError('not_found');
    return key;
  }

  private async tell(
    { id, organizationId }: VirtualKeyEntity,
    change: 'created' | 'updated' | 'revoked',
  ): Promise<void> {
    await this.changes.announce({ entity: 'virtual_key', change, orgId: organizationId, id });
  }
}

function toDate(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}
