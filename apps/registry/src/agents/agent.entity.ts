import type { AgentDefinition, ApprovalTerms, ChatAccess } from '@switchyard/contracts';
import type { ModelSettings } from '@switchyard/models';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { AgentGrants } from '../mcp-configs/mcp-config.schemas.js';

@Entity({ schema: 'registry', name: 'agents' })
export class AgentEntity {
  /** UUIDv7: the order of ids is the order of creation. */
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'organization_id' })
  organizationId!: string;

  /** Never changes: clients name the agent by it. */
  @Column('text')
  slug!: string;

  @Column('text')
  name!: string;

  @Column('text', { nullable: true })
  description!: string | null;

  @Column('text')
  instructions!: string;

  @Column('jsonb')
  model!: ModelSettings;

  /** The key itself is in the token broker's vault. */
  @Column('boolean', { name: 'has_model_key' })
  hasModelKey!: boolean;

  @Column('jsonb')
  grants!: AgentGrants;

  /** `tools` by outward name. */
  @Column('jsonb')
  execution!: AgentDefinition['execution'];

  @Column('jsonb')
  approval!: ApprovalTerms;

  @Column('jsonb', { name: 'chat_access' })
  chatAccess!: ChatAccess;

  @Column('integer', { name: 'max_depth' })
  maxDepth!: number;

  @Column('integer', { name: 'tool_deadline_ms' })
  toolDeadlineMs!: number;

  @Column('text', { name: 'mixed_turn' })
  mixedTurn!: AgentDefinition['mixedTurn'];

  @Column('text', { name: 'unattended_approval' })
  unattendedApproval!: AgentDefinition['unattendedApproval'];

  @Column('boolean', { name: 'agentic_mode' })
  agenticMode!: boolean;

  @Column('boolean', { name: 'is_active' })
  isActive!: boolean;

  @Column('integer')
  version!: number;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt!: Date;
}
