import { Injectable } from '@nestjs/common';
import {
  attachedToolsets,
  heldPolicies,
  policyClaimPaths,
  projectClaims,
  resolveTools,
} from '@switchyard/access';
import { PlatformError } from '@switchyard/contracts';
import type { CallerContext } from '@switchyard/contracts';
import { decodeCursor, toPage } from '@switchyard/service-kit';
import type { Page, PageQuery } from '@switchyard/service-kit';
import { v7 as uuidv7 } from 'uuid';
import type { AdminContext } from '../admin/admin-context.js';
import { ChangesService } from '../changes/changes.service.js';
import { ResourceId } from '../http/fields.js';
import { McpConfigsService } from '../mcp-configs/mcp-configs.service.js';
import { SnapshotService } from '../snapshot/snapshot.service.js';
import { ToolGroupsService } from '../tool-groups/tool-groups.service.js';
import { PoliciesRepository } from './policies.repository.js';
import type { PolicyEntity } from './policy.entity.js';
import { policyWarnings } from './policy-warnings.js';
import type {
  CreatePolicyBody,
  PolicyAnswerBody,
  PolicyPreviewBody,
  PreviewPoliciesBody,
  UpdatePolicyBody,
} from './policy.schemas.js';

type FixedColumns = 'id' | 'organizationId' | 'createdAt' | 'updatedAt';

/** No user's id: a preview without a user is of somebody to whom nothing is attached by name. */
const nobody = '00000000-0000-0000-0000-000000000000';

/** What signed-in users may use, by their roles and claims. */
@Injectable()
export class PoliciesService {
  constructor(
    private readonly policies: PoliciesRepository,
    private readonly configs: McpConfigsService,
    private readonly groups: ToolGroupsService,
    private readonly snapshots: SnapshotService,
    private readonly changes: ChangesService,
  ) {}

  async create({ orgId }: AdminContext, body: CreatePolicyBody): Promise<PolicyAnswerBody> {
    await this.groups.requireAll(orgId, body.group_ids);
    const now = new Date();
    const row: PolicyEntity = {
      id: uuidv7(),
      organizationId: orgId,
      ...columnsOf(body),
      createdAt: now,
      updatedAt: now,
    };
    await this.policies.insert(row);
    await this.tell(row, 'created');
    return this.answerWithWarnings(row);
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
    await this.groups.requireAll(admin.orgId, body.group_ids ?? []);
    await this.policies.update(admin.orgId, id, { ...columnsOf(body), updatedAt: new Date() });
    await this.tell(before, 'updated');
    return this.answerWithWarnings(await this.require(admin, id));
  }

  /** What a user with such a token would have. Toolsets and the state of integrations count; nothing is stored. */
  async preview({ orgId }: AdminContext, body: PreviewPoliciesBody): Promise<PolicyPreviewBody> {
    const snapshot = await this.snapshots.newest();
    const paths = policyClaimPaths(snapshot, orgId);
    const caller = callerOf(orgId, body, paths);
    const held = heldPolicies(snapshot, caller);
    const rows = await this.policies.findAll(
      orgId,
      held.map(({ id }) => id),
    );
    return {
      policies: rows
        .sort((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : 1))
        .map(({ id, name, effect, priority }) => ({ id, name, effect, priority })),
      toolsets: attachedToolsets(snapshot, caller).map(({ slug }) => slug),
      tools: resolveTools(snapshot, caller).map(({ outwardName }) => outwardName),
      claims_read: paths,
    };
  }

  async remove(admin: AdminContext, id: string): Promise<void> {
    const row = await this.require(admin, id);
    if (await this.policies.remove(admin.orgId, id)) await this.tell(row, 'deleted');
  }

  private async answerWithWarnings(row: PolicyEntity): Promise<PolicyAnswerBody> {
    const ofConfigs = await this.configs.warnings(row.organizationId, row.mcpConfigs);
    const warnings = [...policyWarnings(row), ...(ofConfigs.warnings ?? [])];
    return { ...toAnswer(row), ...(warnings.length > 0 && { warnings }) };
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

function columnsOf(body: CreatePolicyBody): Omit<PolicyEntity, FixedColumns>;
function columnsOf(body: UpdatePolicyBody): Partial<Omit<PolicyEntity, FixedColumns>>;
function columnsOf(body: UpdatePolicyBody) {
  return {
    name: body.name,
    roles: body.roles,
    matchers: body.matchers,
    effect: body.effect,
    priority: body.priority,
    groupIds: body.group_ids,
    mcpConfigs: body.mcp_configs,
    isActive: body.is_active,
  };
}

/** Somebody who came with a token, by a door that knows all that the token says. */
function callerOf(orgId: string, body: PreviewPoliciesBody, paths: string[]): CallerContext {
  const claims = projectClaims(body.claims, paths);
  const who = { kind: 'user', orgId, userId: body.user_id ?? nobody, virtualKeyId: null } as const;
  return { ...who, runKind: 'bff', roles: body.roles, hasSubjectToken: true, claims };
}

function toAnswer(row: PolicyEntity): PolicyAnswerBody {
  return {
    id: row.id,
    organization_id: row.organizationId,
    name: row.name,
    roles: row.roles,
    matchers: row.matchers,
    effect: row.effect,
    priority: row.priority,
    group_ids: row.groupIds,
    mcp_configs: row.mcpConfigs,
    is_active: row.isActive,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  };
}
