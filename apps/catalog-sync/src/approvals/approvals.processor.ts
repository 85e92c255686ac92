import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { queues, type ToolApproval, type ToolApprovalAnswer } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import { QueueClient } from '@switchyard/queue';
import { Log } from '@switchyard/service-kit';
import { CatalogNewsService } from '../states/catalog-news.service.js';
import { StatesRepository } from '../states/states.repository.js';
import { ApprovalsRepository, changedSince } from './approvals.repository.js';

const concurrency = 4;

/** Takes `tool-approvals`: all of what the admin saw is approved, or nothing is. */
@Injectable()
export class ApprovalsProcessor implements OnApplicationBootstrap {
  constructor(
    private readonly queue: QueueClient,
    private readonly sql: Sql,
    private readonly approvals: ApprovalsRepository,
    private readonly states: StatesRepository,
    private readonly news: CatalogNewsService,
    private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.queue.consume(queues.toolApprovals, (job) => this.#approve(job), { concurrency });
  }

  async #approve({ orgId, integrationId, tools }: ToolApproval): Promise<ToolApprovalAnswer> {
    const names = tools && tools.map(({ name }) => name);
    const { answer, state } = await this.sql.transaction(async (sql) => {
      // The state's row first, as every sync does: what is approved cannot change in between.
      const row = await this.states.lock(sql, integrationId);
      if (row?.orgId !== orgId)
        return { answer: { status: 'changed', tools: names ?? [] } as const, state: null };
      const changed = tools ? changedSince(await this.approvals.list(sql, integrationId), tools) : [];
      if (changed.length > 0) return { answer: { status: 'changed', tools: changed } as const, state: null };
      const count = await this.approvals.approve(sql, integrationId, names);
      if (count > 0) await this.states.bump(sql, [integrationId]);
      return { answer: { status: 'approved', count } as const, state: count > 0 ? row.state : null };
    });
    if (state) await this.news.publish({ orgId, integrationId, state, toolsChanged: true });
    this.log.info({ integrationId, status: answer.status }, 'an admin approved tools');
    return answer;
  }
}
