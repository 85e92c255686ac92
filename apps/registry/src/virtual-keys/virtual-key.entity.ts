import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { McpConfig } from './virtual-key.schemas.js';

@Entity({ schema: 'registry', name: 'virtual_keys' })
export class VirtualKeyEntity {
  /** UUIDv7: the order of ids is the order of creation. */
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'organization_id' })
  organizationId!: string;

  @Column('text')
  name!: string;

  /** Hex SHA-256. */
  @Column('text', { name: 'key_hash' })
  keyHash!: string;

  @Column('jsonb', { name: 'mcp_configs' })
  mcpConfigs!: McpConfig[];

  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt!: Date | null;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt!: Date | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;
}
