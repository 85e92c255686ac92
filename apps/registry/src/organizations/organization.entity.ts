import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { RateLimit } from '../http/fields.js';

@Entity({ schema: 'registry', name: 'organizations' })
export class OrganizationEntity {
  /** UUIDv7: the order of ids is the order of creation. */
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  slug!: string;

  @Column('text')
  name!: string;

  /** What one user may call, over the fleet, unless a key of theirs says otherwise. */
  @Column('jsonb', { name: 'user_rate_limit', nullable: true })
  userRateLimit!: RateLimit | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;
}
