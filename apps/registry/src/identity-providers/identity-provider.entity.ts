import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ schema: 'registry', name: 'identity_providers' })
export class IdentityProviderEntity {
  /** UUIDv7: the order of ids is the order of creation. */
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'organization_id' })
  organizationId!: string;

  @Column('text')
  name!: string;

  /** With `audience` one organization's alone: together they say whose a token is. */
  @Column('text')
  issuer!: string;

  @Column('text')
  audience!: string;

  @Column('text', { name: 'client_id' })
  clientId!: string;

  /** Null: discovered at the issuer. */
  @Column('text', { name: 'jwks_uri', nullable: true })
  jwksUri!: string | null;

  @Column('text', { array: true })
  scopes!: string[];

  @Column('text', { name: 'roles_claim' })
  rolesClaim!: string;

  @Column('text', { name: 'admin_roles', array: true })
  adminRoles!: string[];

  @Column('text', { name: 'auditor_roles', array: true })
  auditorRoles!: string[];

  @Column('boolean')
  enabled!: boolean;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt!: Date;
}
