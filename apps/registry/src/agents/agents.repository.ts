import { Injectable } from '@nestjs/common';
import { PlatformError } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import { DataSource, MoreThan } from 'typeorm';
import { AgentEntity } from './agent.entity.js';

/** An agent that nobody else can change now, and the transaction's own connection. */
export type LockedAgent = {
  readonly row: AgentEntity;
  readonly sql: Sql;
  replace(next: AgentEntity): Promise<void>;
  /** Its schedules and webhooks go with it. */
  remove(): Promise<void>;
};

/** What begins runs where nobody is present. */
export type Triggers = { readonly schedules: readonly string[]; readonly webhooks: readonly string[] };

/** Every read and write is of one organization. */
@Injectable()
export class AgentsRepository {
  constructor(
    private readonly source: DataSource,
    private readonly sql: Sql,
  ) {}

  async find(organizationId: string, id: string): Promise<AgentEntity | null> {
    return this.source.manager.findOneBy(AgentEntity, { organizationId, id });
  }

  /** Throws `not_found`. */
  async require(organizationId: string, id: string): Promise<AgentEntity> {
    const row = await this.find(organizationId, id);
    if (!row) throw new PlatformError('not_found');
    return row;
  }

  async list(
    organizationId: string,
    limit: number,
    { slug, afterId }: { slug?: string; afterId?: string },
  ): Promise<AgentEntity[]> {
    const where = { organizationId, ...(slug && { slug }), ...(afterId && { id: MoreThan(afterId) }) };
    return this.source.manager.find(AgentEntity, { where, order: { id: 'ASC' }, take: limit });
  }

  /** The ids of what begins runs of the agent by itself, paused and switched off ones too. */
  async triggers(id: string, sql: Sql = this.sql): Promise<Triggers> {
    const of = async (table: 'agent_schedules' | 'agent_webhooks') => {
      const rows = await sql.query<{ id: string }>(`SELECT id FROM registry.${table} WHERE agent_id = $1`, [
        id,
      ]);
      return rows.map((row) => row.id);
    };
    return { schedules: await of('agent_schedules'), webhooks: await of('agent_webhooks') };
  }

  async insert(agent: AgentEntity): Promise<void> {
    await this.source.manager.insert(AgentEntity, agent);
  }

  /** Times at which the agent was switched off were not missed. */
  async resumeSchedules(id: string, sql: Sql): Promise<void> {
    await sql.query(`UPDATE registry.agent_schedules SET active_since = now() WHERE agent_id = $1`, [id]);
  }

  /** Runs `work` with the row locked against other changes; what it throws leaves the row as it was. */
  async locked<T>(organizationId: string, id: string, work: (locked: LockedAgent) => Promise<T>): Promise<T> {
    return this.sql.transaction(async (sql, manager) => {
      const lock = { mode: 'pessimistic_write' } as const;
      const row = await manager.findOne(AgentEntity, { where: { organizationId, id }, lock });
      if (!row) throw new PlatformError('not_found');
      const replace = async (next: AgentEntity) => void (await manager.update(AgentEntity, { id }, next));
      const remove = async () => void (await manager.delete(AgentEntity, { id }));
      return work({ row, sql, replace, remove });
    });
  }
}
