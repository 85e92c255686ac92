import { Injectable } from '@nestjs/common';
import { PlatformError } from '@switchyard/contracts';
import { decodeCursor, toPage } from '@switchyard/service-kit';
import type { Page, PageQuery } from '@switchyard/service-kit';
import { v7 as uuidv7 } from 'uuid';
import type { AdminContext } from '../admin/admin-context.js';
import { ChangesService } from '../changes/changes.service.js';
import { EgressService } from '../egress/egress.service.js';
import { ResourceId } from '../http/fields.js';
import { refuseTwin } from '../http/constraint-violation.js';
import type { IdentityProviderEntity } from './identity-provider.entity.js';
import type {
  CreateIdentityProviderBody,
  IdentityProviderAnswerBody,
  UpdateIdentityProviderBody,
} from './identity-provider.schemas.js';
import { IdentityProvidersRepository } from './identity-providers.repository.js';
import type { IssuerClaim } from './identity-providers.repository.js';

/** Whose tokens an organization takes. */
@Injectable()
export class IdentityProvidersService {
  constructor(
    private readonly providers: IdentityProvidersRepository,
    private readonly egress: EgressService,
    private readonly changes: ChangesService,
  ) {}

  async create(admin: AdminContext, body: CreateIdentityProviderBody): Promise<IdentityProviderAnswerBody> {
    await this.checkAddresses(body);
    const now = new Date();
    const name = body.name ?? new URL(body.issuer).host;
    const row: IdentityProviderEntity = {
      id: uuidv7(),
      organizationId: admin.orgId,
      ...columnsOf({ ...body, name }),
      createdAt: now,
      updatedAt: now,
    };
    await refuseTwin(() => this.providers.insert(row, claimOf(admin, row.issuer)), taken);
    await this.tell(row, 'created');
    return toAnswer(row);
  }

  async list(
    { orgId }: AdminContext,
    { limit, cursor }: PageQuery,
  ): Promise<Page<IdentityProviderAnswerBody>> {
    const afterId = cursor === undefined ? undefined : decodeCursor(ResourceId, cursor);
    const rows = await this.providers.list(orgId, limit + 1, afterId);
    return toPage(rows, limit, { item: toAnswer, position: ({ id }) => id });
  }

  async get(admin: AdminContext, id: string): Promise<IdentityProviderAnswerBody> {
    return toAnswer(await this.require(admin, id));
  }

  async update(
    admin: AdminContext,
    id: string,
    body: UpdateIdentityProviderBody,
  ): Promise<IdentityProviderAnswerBody> {
    const before = await this.require(admin, id);
    await this.checkAddresses(body);
    const changes = { ...columnsOf(body), updatedAt: new Date() };
    const { issuer = before.issuer, audience = before.audience } = body;
    const isSame = issuer === before.issuer && audience === before.audience;
    const claim = isSame ? null : claimOf(admin, issuer);
    await refuseTwin(() => this.providers.update(admin.orgId, id, changes, claim), taken);
    await this.tell(before, 'updated');
    return this.get(admin, id);
  }

  /** Its users stay: their history does, and a provider that is registered again finds them. */
  async remove(admin: AdminContext, id: string): Promise<void> {
    const row = await this.require(admin, id);
    if (await this.providers.remove(admin.orgId, id)) await this.tell(row, 'deleted');
  }

  private async require({ orgId }: AdminContext, id: string): Promise<IdentityProviderEntity> {
    const row = await this.providers.find(orgId, id);
    if (!row) throw new PlatformError('not_found');
    return row;
  }

  private async checkAddresses({ issuer, jwks_uri: keys }: UpdateIdentityProviderBody): Promise<void> {
    if (issuer !== undefined) await this.egress.check(issuer, 'issuer');
    if (keys) await this.egress.check(keys, 'jwks_uri');
  }

  private async tell(
    { id, organizationId }: IdentityProviderEntity,
    change: 'created' | 'updated' | 'deleted',
  ): Promise<void> {
    await this.changes.announce({ entity: 'identity_provider', change, orgId: organizationId, id });
  }
}

/** Tokens of one issuer and audience are one organization's: says nothing of whose. */
function taken(): PlatformError {
  return new PlatformError('conflict', {
    message: 'Tokens of this issuer and audience belong to an identity provider already.',
  });
}

/**
 * A token with the audiences of two organizations opens neither, so whoever claims a side audience of another's issuer would
 * lock its users out. Says nothing of whose the issuer is.
 */
function claimOf({ orgId, isOperator }: AdminContext, issuer: string): IssuerClaim {
  return { issuer, organizationId: orgId, refuse: isOperator ? null : trustedElsewhere };
}

function trustedElsewhere(): PlatformError {
  return new PlatformError('forbidden', {
    message: 'Another organization trusts this issuer already; the operator has to allow it.',
  });
}

/** What the body names; TypeORM leaves out what is undefined. */
function columnsOf<B extends UpdateIdentityProviderBody>(body: B) {
  return {
    name: body.name as B['name'],
    issuer: body.issuer as B['issuer'],
    audience: body.audience as B['audience'],
    clientId: body.client_id as B['client_id'],
    jwksUri: body.jwks_uri as B['jwks_uri'],
    scopes: body.scopes as B['scopes'],
    rolesClaim: body.roles_claim as B['roles_claim'],
    adminRoles: body.admin_roles as B['admin_roles'],
    auditorRoles: body.auditor_roles as B['auditor_roles'],
    enabled: body.enabled as B['enabled'],
  };
}

function toAnswer(row: IdentityProviderEntity): IdentityProviderAnswerBody {
  return {
    id: row.id,
    organization_id: row.organizationId,
    name: row.name,
    issuer: row.issuer,
    audience: row.audience,
    client_id: row.clientId,
    jwks_uri: row.jwksUri,
    scopes: row.scopes,
    roles_claim: row.rolesClaim,
    admin_roles: row.adminRoles,
    auditor_roles: row.auditorRoles,
    enabled: row.enabled,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  };
}
