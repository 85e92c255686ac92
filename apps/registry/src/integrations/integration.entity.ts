import type { ApprovalTerms, AuthMode, ExecutionMode, OAuthSettings, Transport } from '@switchyard/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { RateLimit } from '../http/fields.js';
import type { ToolOverrides } from './integration.schemas.js';

@Entity({ schema: 'registry', name: 'integrations' })
export class IntegrationEntity {
  /** UUIDv7: the order of ids is the order of creation. */
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'organization_id' })
  organizationId!: string;

  @Column('text')
  slug!: string;

  @Column('text')
  name!: string;

  @Column('varchar')
  kind!: string;

  @Column('text')
  scope!: 'global' | 'organization' | 'user';

  @Column('uuid', { name: 'owner_user_id', nullable: true })
  ownerUserId!: string | null;

  @Column('jsonb')
  transport!: Transport;

  @Column('text', { name: 'auth_mode' })
  authMode!: AuthMode;

  @Column('uuid', { name: 'service_user_id', nullable: true })
  serviceUserId!: string | null;

  /** Who set the service user: `admin`, or `user:` and the id. Null without one. */
  @Column('text', { name: 'service_user_set_by', nullable: true })
  serviceUserSetBy!: string | null;

  @Column('timestamptz', { name: 'service_user_set_at', nullable: true })
  serviceUserSetAt!: Date | null;

  @Column('jsonb', { nullable: true })
  oauth!: OAuthSettings | null;

  /** The secret itself is in the token broker's vault. */
  @Column('boolean', { name: 'has_client_secret' })
  hasClientSecret!: boolean;

  /** Headers that each user brings for themself. */
  @Column('text', { name: 'user_header_names', array: true })
  userHeaderNames!: string[];

  /** The values are in the token broker's vault. */
  @Column('text', { name: 'header_names', array: true })
  headerNames!: string[];

  @Column('text', { name: 'env_names', array: true })
  envNames!: string[];

  @Column('boolean', { name: 'available_in_chat' })
  availableInChat!: boolean;

  @Column('boolean', { name: 'available_to_autonomous' })
  availableToAutonomous!: boolean;

  @Column('text', { name: 'tools_to_execute', array: true, nullable: true })
  toolsToExecute!: string[] | null;

  @Column('text', { name: 'tools_to_skip', array: true, nullable: true })
  toolsToSkip!: string[] | null;

  @Column('jsonb', { name: 'tool_overrides' })
  toolOverrides!: ToolOverrides;

  @Column('integer', { name: 'deadline_ms', nullable: true })
  deadlineMs!: number | null;

  @Column('integer', { name: 'max_concurrency', nullable: true })
  maxConcurrency!: number | null;

  @Column('jsonb', { name: 'rate_limit', nullable: true })
  rateLimit!: RateLimit | null;

  /** Whether tools are served only as an admin approved them. */
  @Column('boolean')
  pinned!: boolean;

  /** Of tools that have no word of their own in `tool_overrides`. */
  @Column('text', { name: 'default_policy', nullable: true })
  defaultPolicy!: ExecutionMode | null;

  @Column('text', { name: 'approval_on_gateway' })
  approvalOnGateway!: 'host' | 'platform';

  @Column('jsonb')
  approval!: ApprovalTerms;

  @Column('integer', { name: 'sync_interval_seconds' })
  syncIntervalSeconds!: number;

  @Column('boolean', { name: 'auto_reconnect' })
  autoReconnect!: boolean;

  @Column('boolean')
  enabled!: boolean;

  /** Of kind `local`: the operator's setting went away, and `enabled` with it. */
  @Column('boolean', { name: 'off_by_setting' })
  offBySetting!: boolean;

  @Column('text')
  retention!: 'always' | 'ledger_first' | 'never';

  @Column('integer')
  version!: number;

  /** Of what a connection is made of, the values in the vault included: raised by fewer changes than `version`. */
  @Column('integer', { name: 'connection_version' })
  connectionVersion!: number;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt!: Date;
}
