import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { ToolsetConfig } from './toolset.schemas.js';

@Entity({ schema: 'registry', name: 'toolsets' })
export class ToolsetEntity {
  /** UUIDv7: the order of ids is the order of creation. */
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'organization_id' })
  organizationId!: string;

  /** Never changes: clients hold the address. */
  @Column('text')
  slug!: string;

  @Column('text')
  name!: string;

  @Column('text', { nullable: true })
  description!: string | null;

  @Column('boolean', { name: 'is_active' })
  isActive!: boolean;

  @Column('boolean')
  prefix!: boolean;

  @Column('text', { name: 'tool_mode' })
  toolMode!: 'all' | 'search';

  @Column('jsonb', { name: 'mcp_configs' })
  mcpConfigs!: ToolsetConfig[];

  @Column('uuid', { name: 'virtual_key_ids', array: true })
  virtualKeyIds!: string[];

  @Column('uuid', { name: 'user_ids', array: true })
  userIds!: string[];

  @Column('text', { array: true })
  roles!: string[];

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt!: Date;
}
