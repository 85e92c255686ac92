import { Injectable } from '@nestjs/common';
import { PlatformError, queues } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import type { AdminContext } from '../admin/admin-context.js';
import type {
  ApproveToolsBody,
  ToolChangeAnswerBody,
  ToolsApprovedBody,
} from './integration-tool.schemas.js';
import { IntegrationToolsRepository } from './integration-tools.repository.js';
import type { IntegrationEntity } from './integration.entity.js';
import { IntegrationsRepository } from './integrations.repository.js';
import { jsonChanges } from './json-changes.js';

const answerWithinMs = 10_000;

/** What an admin sees and says of the tools of a pinned integration. The catalog keeps it, with the tools themselves. */
@Injectable()
export class ToolApprovalsService {
  constructor(
    private readonly integrations: IntegrationsRepository,
    private readonly tools: IntegrationToolsRepository,
    private readonly queue: QueueClient,
  ) {}

  /** How a tool differs from what was approved: by its whole wire object, of which people see but a part. */
  async change(admin: AdminContext, id: string, name: string): Promise<ToolChangeAnswerBody> {
    await this.require(admin, id);
    const row = await this.tools.approvalOf(id, name);
    if (!row) throw new PlatformError('not_found');
    return {
      name: row.name,
      pin_state: row.pinState,
      wire_sha256: row.wireSha256,
      approved_sha256: row.approvedSha256,
      approved_at: row.approvedAt?.toISOString() ?? null,
      approved: row.approvedWire,
      current: row.wire,
      changes: row.approvedWire ? jsonChanges(row.approvedWire, row.wire) : [],
    };
  }

  /**
   * Approves tools in the form that the admin names by its digest; if one has another by now, none of them. All of them
   * are named here: a request that waits in the queue must not approve what comes meanwhile.
   */
  async approve(admin: AdminContext, id: string, { tools }: ApproveToolsBody): Promise<ToolsApprovedBody> {
    const { pinned } = await this.require(admin, id);
    if (!pinned)
      throw new PlatformError('conflict', { message: 'The integration is not pinned: nothing waits.' });
    const seen =
      tools === 'all'
        ? await this.tools.unapproved(id)
        : tools.map(({ name, wire_sha256: wireSha256 }) => ({ name, wireSha256 }));
    if (seen.length === 0) return { integration_id: id, approved: 0 };
    const job = { v: 1, orgId: admin.orgId, integrationId: id, tools: seen } as const;
    const answer = await this.queue.request(queues.toolApprovals, job, { timeoutMs: answerWithinMs });
    if (answer.status === 'approved') return { integration_id: id, approved: answer.count };
    const names = answer.tools.slice(0, 20);
    throw new PlatformError('conflict', {
      message: `Nothing was approved, for these changed since, or are gone: ${names.join(', ')}. Look at them again.`,
      details: { tools: names },
    });
  }

  private async require({ orgId }: AdminContext, id: string): Promise<IntegrationEntity> {
    const integration = await this.integrations.find(orgId, id);
    if (!integration) throw new PlatformError('not_found');
    return integration;
  }
}
