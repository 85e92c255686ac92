import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { RateLimit } from '../http/fields.js';
import type { McpConfig } from '../mcp-configs/mcp-config.schemas.js';

@Entity({ schema: 'registry', name: 'virtual_keys' })
export class VirtualKeyEntity {
  /** UUIDv7: the order of ids is the order of creation. */
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'organization_id' })
  organizationId!: string;

  @Column('text')
  name!: string;

  /** The user as whom its bearer calls; null: a machine's key. */
  @Column('uuid', { name: 'user_id', nullable: true })
  userId!: string | null;

  /** Hex SHA-256. */
  @Column('text', { name: 'key_hash' })
  keyHash!: string;

  @Column('jsonb', { name: 'mcp_configs' })
  mcpConfigs!: McpConfig[];

  /** Calls by this key, over the fleet. */
  @Column('jsonb', { name: 'rate_limit', nullable: true })
  rateLimit!: RateLimit | null;

  @Column('text', { name: 'tool_mode' })
  toolMode!: 'all' | 'search';

  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt!: Date | null;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt!: Date | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;
}
