import type { OverlapRule } from '@switchyard/contracts';
import type { CatchUpRule, ScheduleRule } from '@switchyard/schedules';
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ schema: 'registry', name: 'agent_schedules' })
export class AgentScheduleEntity {
  /** UUIDv7: the order of ids is the order of creation. */
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'organization_id' })
  organizationId!: string;

  @Column('uuid', { name: 'agent_id' })
  agentId!: string;

  @Column('text')
  name!: string;

  @Column('jsonb')
  rule!: ScheduleRule;

  @Column('text')
  input!: string;

  @Column('text')
  overlap!: OverlapRule;

  @Column('text', { name: 'catch_up' })
  catchUp!: CatchUpRule;

  @Column('boolean', { name: 'is_paused' })
  isPaused!: boolean;

  @Column('integer')
  version!: number;

  /** Times before are nobody's: it was paused, or had another rule, or was not there. */
  @Column('timestamptz', { name: 'active_since' })
  activeSince!: Date;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt!: Date;
}
