import type { WebhookScheme } from '@switchyard/webhooks';
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ schema: 'registry', name: 'agent_webhooks' })
export class AgentWebhookEntity {
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
  scheme!: WebhookScheme;

  @Column('text')
  input!: string;

  @Column('integer', { name: 'body_limit_bytes' })
  bodyLimitBytes!: number;

  /** The secrets themselves are in the token broker's vault. */
  @Column('boolean', { name: 'has_previous_secret' })
  hasPreviousSecret!: boolean;

  @Column('boolean', { name: 'is_active' })
  isActive!: boolean;

  @Column('integer')
  version!: number;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt!: Date;
}
