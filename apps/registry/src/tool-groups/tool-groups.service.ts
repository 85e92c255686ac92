import { Injectable } from '@nestjs/common';
import { servedTools, toolGroup } from '@switchyard/access';
import type { IntegrationRecord, ResolvedTool, Snapshot } from '@switchyard/access';
import { PlatformError } from '@switchyard/contracts';
import { decodeCursor, toPage } from '@switchyard/service-kit';
import type { Page, PageQuery } from '@switchyard/service-kit';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import type { AdminContext } from '../admin/admin-context.js';
import { ChangesService } from '../changes/changes.service.js';
import { ResourceId } from '../http/fields.js';
import { refuseFields } from '../http/refuse-fields.js';
import { PoliciesRepository } from '../policies/policies.repository.js';
import { SnapshotService } from '../snapshot/snapshot.service.js';
import { requireRoom } from './pattern-limits.js';
import { ToolGroupsRepository } from './tool-groups.repository.js';
import type { ToolGroupEntity } from './tool-group.entity.js';
import type {
  CreateToolGroupBody,
  GroupedToolAnswerBody,
  ToolGroupAnswerBody,
  UpdateToolGroupBody,
} from './tool-group.schemas.js';

/** Sets of tools by what they are, for policies to speak of. */
@Injectable()
export class ToolGroupsService {
  constructor(
    private readonly groups: ToolGroupsRepository,
    private readonly policies: PoliciesRepository,
    private readonly snapshots: SnapshotService,
    private readonly changes: ChangesService,
  ) {}

  async create({ orgId }: AdminContext, body: CreateToolGroupBody): Promise<ToolGroupAnswerBody> {
    const now = new Date();
    const row = { id: uuidv7(), organizationId: orgId, ...body, createdAt: now, updatedAt: now };
    await this.groups.insert(row, (groups) => requireRoom(groups, row));
    await this.tell(row, 'created');
    return toAnswer(row);
  }

  async list({ orgId }: AdminContext, { limit, cursor }: PageQuery): Promise<Page<ToolGroupAnswerBody>> {
    const afterId = cursor === undefined ? undefined : decodeCursor(ResourceId, cursor);
    const rows = await this.groups.list(orgId, limit + 1, afterId);
    return toPage(rows, limit, { item: toAnswer, position: ({ id }) => id });
  }

  async get(admin: AdminContext, id: string): Promise<ToolGroupAnswerBody> {
    return toAnswer(await this.require(admin, id));
  }

  async update(admin: AdminContext, id: string, body: UpdateToolGroupBody): Promise<ToolGroupAnswerBody> {
    const before = await this.require(admin, id);
    const { selectors } = body;
    await this.groups.update(
      admin.orgId,
      id,
      { ...body, updatedAt: new Date() },
      (groups) => selectors && requireRoom(groups, { id, selectors }),
    );
    await this.tell(before, 'updated');
    return this.get(admin, id);
  }

  /** A group of which a policy speaks stays: without it a denial would deny less than its admin meant. */
  async remove(admin: AdminContext, id: string): Promise<void> {
    const row = await this.require(admin, id);
    const names = await this.policies.namesWithGroup(admin.orgId, id);
    if (names.length > 0)
      throw new PlatformError('conflict', { message: `Policies speak of it: ${names.join(', ')}.` });
    if (await this.groups.remove(admin.orgId, id)) await this.tell(row, 'deleted');
  }

  /** The tools that are in the group now, sorted by outward name; who may use them is another matter. */
  async tools(
    admin: AdminContext,
    id: string,
    { limit, cursor }: PageQuery,
  ): Promise<Page<GroupedToolAnswerBody>> {
    await this.require(admin, id);
    const after = cursor === undefined ? '' : decodeCursor(z.string(), cursor);
    const snapshot = await this.snapshots.newest();
    const group = snapshot.toolGroups.get(id);
    const found = integrationsOf(snapshot, admin.orgId)
      .flatMap((integration) => servedTools(snapshot, integration).list)
      .filter((tool) => tool.outwardName > after && group && toolGroup(group).has(tool))
      .sort((a, b) => (a.outwardName < b.outwardName ? -1 : 1))
      .slice(0, limit + 1);
    return toPage(found, limit, { item: toToolAnswer, position: ({ outwardName }) => outwardName });
  }

  /** Throws `invalid_request` unless each id is a group's of the organization. */
  async requireAll(orgId: string, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const known = await this.groups.known(orgId, ids);
    const message = 'is not a tool group of the organization';
    refuseFields(ids.flatMap((id, at) => (known.has(id) ? [] : [{ path: `group_ids.${at}`, message }])));
  }

  private async require({ orgId }: AdminContext, id: string): Promise<ToolGroupEntity> {
    const row = await this.groups.find(orgId, id);
    if (!row) throw new PlatformError('not_found');
    return row;
  }

  private async tell(
    { id, organizationId }: ToolGroupEntity,
    change: 'created' | 'updated' | 'deleted',
  ): Promise<void> {
    await this.changes.announce({ entity: 'tool_group', change, orgId: organizationId, id });
  }
}

/** What users of the organization can see: its own integrations, and global ones whose slug it has not taken. */
function integrationsOf(snapshot: Snapshot, orgId: string): IntegrationRecord[] {
  const own = (snapshot.integrationsByOrg.get(orgId) ?? []).filter(({ scope }) => scope === 'organization');
  const taken = new Set(own.map(({ slug }) => slug));
  return [...own, ...snapshot.globalIntegrations.filter(({ slug }) => !taken.has(slug))];
}

function toToolAnswer({ integration, tool, outwardName }: ResolvedTool): GroupedToolAnswerBody {
  return {
    outward_name: outwardName,
    integration_id: integration.id,
    mcp_client_name: integration.slug,
    name: tool.name,
    title: tool.wire.title ?? null,
    description: tool.wire.description ?? null,
  };
}

function toAnswer(row: ToolGroupEntity): ToolGroupAnswerBody {
  return {
    id: row.id,
    organization_id: row.organizationId,
    name: row.name,
    selectors: row.selectors,
    include: row.include,
    exclude: row.exclude,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  };
}
