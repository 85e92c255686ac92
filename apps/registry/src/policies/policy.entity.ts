import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { McpConfig } from '../mcp-configs/mcp-config.schemas.js';
import type { ClaimMatcher } from './claim-matcher.schemas.js';

@Entity({ schema: 'registry', name: 'policies' })
export class PolicyEntity {
  /** UUIDv7: the order of ids is the order of creation. */
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'organization_id' })
  organizationId!: string;

  @Column('text')
  name!: string;

  /** Null: every signed-in user of the organization. Empty: nobody. */
  @Column('text', { array: true, nullable: true })
  roles!: string[] | null;

  /** All of them have to match. */
  @Column('jsonb')
  matchers!: ClaimMatcher[];

  @Column('text')
  effect!: 'allow' | 'deny';

  @Column('integer')
  priority!: number;

  @Column('uuid', { name: 'group_ids', array: true })
  groupIds!: string[];

  @Column('jsonb', { name: 'mcp_configs' })
  mcpConfigs!: McpConfig[];

  @Column('boolean', { name: 'is_active' })
  isActive!: boolean;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt!: Date;
}
