import { Injectable } from '@nestjs/common';
import { PlatformError } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import { DataSource, MoreThan } from 'typeorm';
import { AgentWebhookEntity } from './agent-webhook.entity.js';

type Place = { readonly organizationId: string; readonly agentId: string };

/** A webhook that nobody else can change now, and the transaction's own connection. */
export type LockedWebhook = {
  readonly row: AgentWebhookEntity;
  readonly sql: Sql;
  replace(next: AgentWebhookEntity): Promise<void>;
  remove(): Promise<void>;
};

/** Every read and write is of one agent of one organization. */
@Injectable()
export class AgentWebhooksRepository {
  constructor(
    private readonly source: DataSource,
    private readonly sql: Sql,
  ) {}

  async find({ organizationId, agentId }: Place, id: string): Promise<AgentWebhookEntity | null> {
    return this.source.manager.findOneBy(AgentWebhookEntity, { organizationId, agentId, id });
  }

  async list(
    { organizationId, agentId }: Place,
    limit: number,
    afterId?: string,
  ): Promise<AgentWebhookEntity[]> {
    const where = { organizationId, agentId, ...(afterId && { id: MoreThan(afterId) }) };
    return this.source.manager.find(AgentWebhookEntity, { where, order: { id: 'ASC' }, take: limit });
  }

  async insert(webhook: AgentWebhookEntity): Promise<void> {
    await this.source.manager.insert(AgentWebhookEntity, webhook);
  }

  /** Runs `work` with the row locked against other changes; what it throws leaves the row as it was. */
  async locked<T>(
    { organizationId, agentId }: Place,
    id: string,
    work: (locked: LockedWebhook) => Promise<T>,
  ): Promise<T> {
    return this.sql.transaction(async (sql, manager) => {
      const where = { organizationId, agentId, id };
      const row = await manager.findOne(AgentWebhookEntity, { where, lock: { mode: 'pessimistic_write' } });
      if (!row) throw new PlatformError('not_found');
      const replace = async (next: AgentWebhookEntity) =>
        void (await manager.update(AgentWebhookEntity, { id }, next));
      const remove = async () => void (await manager.delete(AgentWebhookEntity, { id }));
      return work({ row, sql, replace, remove });
    });
  }
}
