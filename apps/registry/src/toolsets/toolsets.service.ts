import { Injectable } from '@nestjs/common';
import { PlatformError } from '@switchyard/contracts';
import { decodeCursor, toPage } from '@switchyard/service-kit';
import type { FieldError, Page, PageQuery } from '@switchyard/service-kit';
import { v7 as uuidv7 } from 'uuid';
import type { AdminContext } from '../admin/admin-context.js';
import { ChangesService } from '../changes/changes.service.js';
import { ResourceId } from '../http/fields.js';
import { refuseFields } from '../http/refuse-fields.js';
import { refuseTakenSlug } from '../http/constraint-violation.js';
import { McpConfigsService } from '../mcp-configs/mcp-configs.service.js';
import { UsersRepository } from '../users/users.repository.js';
import { VirtualKeysRepository } from '../virtual-keys/virtual-keys.repository.js';
import { repeatedNames } from './toolset-rules.js';
import type { ToolsetEntity } from './toolset.entity.js';
import type { CreateToolsetBody, ToolsetAnswerBody, UpdateToolsetBody } from './toolset.schemas.js';
import { ToolsetsRepository } from './toolsets.repository.js';

type Attachments = Pick<CreateToolsetBody, 'virtual_key_ids' | 'user_ids'>;
type FixedColumns = 'id' | 'organizationId' | 'slug' | 'createdAt' | 'updatedAt';

/** Bundles of tools, each at an address of its own, for those to whom it is attached. */
@Injectable()
export class ToolsetsService {
  constructor(
    private readonly toolsets: ToolsetsRepository,
    private readonly configs: McpConfigsService,
    private readonly keys: VirtualKeysRepository,
    private readonly users: UsersRepository,
    private readonly changes: ChangesService,
  ) {}

  async create({ orgId }: AdminContext, body: CreateToolsetBody): Promise<ToolsetAnswerBody> {
    const now = new Date();
    const fixed = { id: uuidv7(), organizationId: orgId, slug: body.slug, createdAt: now, updatedAt: now };
    const row: ToolsetEntity = { ...fixed, ...columnsOf(body) };
    refuseFields([...repeatedNames(row), ...(await this.foreign(orgId, body))]);
    await refuseTakenSlug(() => this.toolsets.insert(row));
    await this.tell(row, 'created');
    return { ...toAnswer(row), ...(await this.configs.warnings(orgId, row.mcpConfigs)) };
  }

  async list({ orgId }: AdminContext, { limit, cursor }: PageQuery): Promise<Page<ToolsetAnswerBody>> {
    const afterId = cursor === undefined ? undefined : decodeCursor(ResourceId, cursor);
    const rows = await this.toolsets.list(orgId, limit + 1, afterId);
    return toPage(rows, limit, { item: toAnswer, position: ({ id }) => id });
  }

  async get(admin: AdminContext, id: string): Promise<ToolsetAnswerBody> {
    return toAnswer(await this.require(admin, id));
  }

  async update(admin: AdminContext, id: string, body: UpdateToolsetBody): Promise<ToolsetAnswerBody> {
    const before = await this.require(admin, id);
    const { prefix = before.prefix, mcp_configs: mcpConfigs = before.mcpConfigs } = body;
    refuseFields([...repeatedNames({ prefix, mcpConfigs }), ...(await this.foreign(admin.orgId, body))]);
    await this.toolsets.update(admin.orgId, id, { ...columnsOf(body), updatedAt: new Date() });
    await this.tell(before, 'updated');
    const warnings = await this.configs.warnings(admin.orgId, body.mcp_configs ?? []);
    return { ...(await this.get(admin, id)), ...warnings };
  }

  async remove(admin: AdminContext, id: string): Promise<void> {
    const row = await this.require(admin, id);
    if (await this.toolsets.remove(admin.orgId, id)) await this.tell(row, 'deleted');
  }

  /** Attachments that are not the organization's own. */
  private async foreign(
    orgId: string,
    { virtual_key_ids: keyIds = [], user_ids: userIds = [] }: Partial<Attachments>,
  ): Promise<FieldError[]> {
    const keys = await this.keys.known(orgId, keyIds);
    const users = await this.users.known(orgId, userIds);
    return [
      ...unknown('virtual_key_ids', keyIds, keys, 'is not a virtual key of the organization'),
      ...unknown('user_ids', userIds, users, 'is not a user of the organization'),
    ];
  }

  private async require({ orgId }: AdminContext, id: string): Promise<ToolsetEntity> {
    const row = await this.toolsets.find(orgId, id);
    if (!row) throw new PlatformError('not_found');
    return row;
  }

  private async tell(
    { id, organizationId }: ToolsetEntity,
    change: 'created' | 'updated' | 'deleted',
  ): Promise<void> {
    await this.changes.announce({ entity: 'toolset', change, orgId: organizationId, id });
  }
}

function unknown(
  field: string,
  ids: readonly string[],
  known: ReadonlySet<string>,
  message: string,
): FieldError[] {
  return ids.flatMap((id, at) => (known.has(id) ? [] : [{ path: `${field}.${at}`, message }]));
}

function columnsOf(body: CreateToolsetBody): Omit<ToolsetEntity, FixedColumns>;
function columnsOf(body: UpdateToolsetBody): Partial<Omit<ToolsetEntity, FixedColumns>>;
function columnsOf(body: UpdateToolsetBody) {
  return {
    name: body.name,
    description: body.description,
    isActive: body.is_active,
    prefix: body.prefix,
    toolMode: body.tool_mode,
    mcpConfigs: body.mcp_configs,
    virtualKeyIds: body.virtual_key_ids,
    userIds: body.user_ids,
    roles: body.roles,
  };
}

function toAnswer(row: ToolsetEntity): ToolsetAnswerBody {
  return {
    id: row.id,
    organization_id: row.organizationId,
    slug: row.slug,
    path: `/mcp/${row.slug}`,
    name: row.name,
    description: row.description,
    is_active: row.isActive,
    prefix: row.prefix,
    tool_mode: row.toolMode,
    mcp_configs: row.mcpConfigs,
    virtual_key_ids: row.virtualKeyIds,
    user_ids: row.userIds,
    roles: row.roles,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  };
}
