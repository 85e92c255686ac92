import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ schema: 'registry', name: 'users' })
export class UserEntity {
  /** UUIDv7: the order of ids is the order in which users were first seen. */
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'organization_id' })
  organizationId!: string;

  /** With `subject` the person; all else of a token may change. */
  @Column('text')
  issuer!: string;

  @Column('text')
  subject!: string;

  @Column('text', { nullable: true })
  username!: string | null;

  @Column('text', { nullable: true })
  email!: string | null;

  @Column('text', { name: 'display_name', nullable: true })
  displayName!: string | null;

  /** As of the last token. */
  @Column('text', { array: true })
  roles!: string[];

  @Column('boolean')
  active!: boolean;

  @Column('timestamptz', { name: 'last_seen_at' })
  lastSeenAt!: Date;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;
}
