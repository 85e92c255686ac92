import { Injectable } from '@nestjs/common';
import { executionPolicy, isSafeTool, outwardNames, servedTools, toolVisibility } from '@switchyard/access';
import type { HiddenBecause } from '@switchyard/access';
import { PlatformError } from '@switchyard/contracts';
import type { CallerContext, ExecutionMode } from '@switchyard/contracts';
import { decodeCursor, toPage } from '@switchyard/service-kit';
import type { Page } from '@switchyard/service-kit';
import { z } from 'zod';
import type { AdminContext } from '../admin/admin-context.js';
import type { IntegrationToolAnswerBody, ListToolsQuery } from './integration-tool.schemas.js';
import { IntegrationToolsRepository } from './integration-tools.repository.js';
import type { ToolHead, ToolRow } from './integration-tools.repository.js';
import type { IntegrationEntity } from './integration.entity.js';
import { IntegrationsRepository } from './integrations.repository.js';
import { SnapshotService } from '../snapshot/snapshot.service.js';

/** A tool with what the integration's settings make of it, by the rules that resolve tools for callers. */
type Judged = ToolHead & { outwardName: string; hiddenBecause: HiddenBecause | null };

/** By the upstream's name. */
type Modes = ReadonlyMap<string, ExecutionMode>;

@Injectable()
export class IntegrationToolsService {
  constructor(
    private readonly integrations: IntegrationsRepository,
    private readonly tools: IntegrationToolsRepository,
    private readonly snapshots: SnapshotService,
  ) {}

  /** Sorted by the outward name. */
  async list(
    admin: AdminContext,
    id: string,
    { limit, cursor, enabled, pin_state: pinState }: ListToolsQuery,
  ): Promise<Page<IntegrationToolAnswerBody>> {
    const integration = await this.integrations.find(admin.orgId, id);
    if (!integration) throw new PlatformError('not_found');
    const after = cursor === undefined ? '' : decodeCursor(z.string(), cursor);
    const judged = judge(integration, await this.tools.heads(id))
      .filter(
        (tool) =>
          tool.outwardName > after &&
          (enabled === undefined || (tool.hiddenBecause === null) === enabled) &&
          (pinState === undefined || tool.pinState === pinState),
      )
      .sort((a, b) => (a.outwardName < b.outwardName ? -1 : 1))
      .slice(0, limit + 1);
    const rows = await this.tools.rows(
      id,
      judged.map((tool) => tool.id),
    );
    const page = toPage(judged, limit, { item: (tool) => tool, position: ({ outwardName }) => outwardName });
    const modes = await this.modes(integration);
    const items = page.items.flatMap((tool) => toAnswer({ integration, modes }, tool, rows.get(tool.id)));
    return { ...page, items };
  }

  /** Whether calls from outside of agents run by themselves. */
  private async modes({ id, organizationId }: IntegrationEntity): Promise<Modes> {
    const snapshot = await this.snapshots.newest();
    const record = snapshot.integrations.get(id);
    const tools = record ? servedTools(snapshot, record).discovered : [];
    const modeOf = (one: (typeof tools)[number]) =>
      executionPolicy(snapshot, callerOutside(organizationId), one).mode;
    return new Map(tools.map((one) => [one.tool.name, modeOf(one)]));
  }
}

function judge(integration: IntegrationEntity, heads: readonly ToolHead[]): Judged[] {
  const names = outwardNames(integration.slug, heads);
  const whyHidden = toolVisibility(integration);
  return heads.map((head) => {
    const outwardName = names.get(head.name) ?? head.name;
    return { ...head, outwardName, hiddenBecause: whyHidden(head, outwardName) };
  });
}

function callerOutside(orgId: string): CallerContext {
  const nobody = { userId: null, virtualKeyId: null, roles: [], hasSubjectToken: false };
  return { kind: 'service', orgId, ...nobody, runKind: 'mcp' };
}

/** Nothing for a row that was deleted a moment ago. */
// eslint-disable-next-line complexity -- a flat list of fields, each `??` is one that may be absent
function toAnswer(
  { integration, modes }: { integration: IntegrationEntity; modes: Modes },
  tool: Judged,
  row: ToolRow | undefined,
): IntegrationToolAnswerBody[] {
  if (!row) return [];
  const { wire } = row;
  const overrides = integration.toolOverrides;
  const override = Object.hasOwn(overrides, tool.name) ? (overrides[tool.name] ?? null) : null;
  return [
    {
      name: tool.name,
      outward_name: tool.outwardName,
      title: wire.title ?? null,
      description: wire.description ?? null,
      input_schema: wire.inputSchema,
      output_schema: wire.outputSchema ?? null,
      annotations: wire.annotations ?? null,
      enabled: tool.hiddenBecause === null,
      hidden_because: tool.hiddenBecause,
      pin_state: tool.pinState,
      wire_sha256: row.wireSha256,
      warnings: row.warnings,
      disabled_reason: row.disabledReason,
      disabled_detail: row.disabledDetail,
      safe: isSafeTool(row, override ?? undefined),
      deadline_ms: override?.deadline_ms ?? integration.deadlineMs,
      execution: modes.get(tool.name) ?? null,
      override,
      last_seen_at: row.lastSeenAt?.toISOString() ?? null,
    },
  ];
}
