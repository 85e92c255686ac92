import { Injectable } from '@nestjs/common';
import { DataSource, MoreThan } from 'typeorm';
import { AgentScheduleEntity } from './agent-schedule.entity.js';
import type { KeptSchedules } from './schedule-limits.js';

type Place = { readonly organizationId: string; readonly agentId: string };

/** Every read and write is of one agent of one organization. */
@Injectable()
export class AgentSchedulesRepository {
  constructor(private readonly source: DataSource) {}

  async find({ organizationId, agentId }: Place, id: string): Promise<AgentScheduleEntity | null> {
    return this.source.manager.findOneBy(AgentScheduleEntity, { organizationId, agentId, id });
  }

  async list(
    { organizationId, agentId }: Place,
    limit: number,
    afterId?: string,
  ): Promise<AgentScheduleEntity[]> {
    const where = { organizationId, agentId, ...(afterId && { id: MoreThan(afterId) }) };
    return this.source.manager.find(AgentScheduleEntity, { where, order: { id: 'ASC' }, take: limit });
  }

  /** Counted while nobody else adds one to the organization: of those who ask at the same time, as many get in as fit. */
  async insert(schedule: AgentScheduleEntity, check: (kept: KeptSchedules) => void): Promise<void> {
    const { organizationId, agentId } = schedule;
    await this.source.transaction(async (manager) => {
      await manager.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
        `schedules of ${organizationId}`,
      ]);
      check({
        ofAgent: await manager.countBy(AgentScheduleEntity, { organizationId, agentId }),
        ofOrganization: await manager.countBy(AgentScheduleEntity, { organizationId }),
      });
      await manager.insert(AgentScheduleEntity, schedule);
    });
  }

  /** False if somebody else changed or removed it since it was read. */
  async replace(next: AgentScheduleEntity, version: number): Promise<boolean> {
    const { affected } = await this.source.manager.update(
      AgentScheduleEntity,
      { id: next.id, version },
      next,
    );
    return affected === 1;
  }

  /** False if there is none. */
  async remove({ organizationId, agentId }: Place, id: string): Promise<boolean> {
    const { affected } = await this.source.manager.delete(AgentScheduleEntity, {
      organizationId,
      agentId,
      id,
    });
    return affected === 1;
  }
}
