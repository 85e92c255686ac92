import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { ToolSelector } from './tool-group.schemas.js';

@Entity({ schema: 'registry', name: 'tool_groups' })
export class ToolGroupEntity {
  /** UUIDv7: the order of ids is the order of creation. */
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'organization_id' })
  organizationId!: string;

  @Column('text')
  name!: string;

  @Column('jsonb')
  selectors!: ToolSelector[];

  /** Outward names. */
  @Column('text', { array: true })
  include!: string[];

  @Column('text', { array: true })
  exclude!: string[];

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt!: Date;
}
