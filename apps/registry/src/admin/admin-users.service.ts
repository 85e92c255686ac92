import { Injectable } from '@nestjs/common';
import { PlatformError, toPlatformError } from '@switchyard/contracts';
import { TokenVerifier, userTokenGate, UserTokenStrategy } from '@switchyard/identity';
import type { SignedInUser } from '@switchyard/identity';
import type { FastifyRequest } from 'fastify';
import { EgressService } from '../egress/egress.service.js';
import type { IdentityProviderEntity } from '../identity-providers/identity-provider.entity.js';
import { IdentityProvidersRepository } from '../identity-providers/identity-providers.repository.js';
import { OrganizationsRepository } from '../organizations/organizations.repository.js';
import { UserRecordsService } from '../users/user-records.service.js';
import type { AdminContext } from './admin-context.js';
import { RefusalsService } from './refusals.service.js';

/** Users who may use the admin API: those whose identity provider says that they have an admin's role. */
@Injectable()
export class AdminUsersService {
  /** As of the last request: admins are few, and what they changed a moment ago has to hold. */
  private providers: IdentityProviderEntity[] = [];
  private readonly signIn: ReturnType<typeof userTokenGate>;

  constructor(
    egress: EgressService,
    users: UserRecordsService,
    private readonly rows: IdentityProvidersRepository,
    private readonly organizations: OrganizationsRepository,
    private readonly refusals: RefusalsService,
  ) {
    const verifier = new TokenVerifier({
      issuers: () => this.providers.map((row) => ({ ...row, orgId: row.organizationId })),
      fetch: egress.fetch,
    });
    this.signIn = userTokenGate(new UserTokenStrategy(verifier, users));
  }

  /** The admin whose JWT came with the request; throws why it opens nothing, which is audited. */
  async authenticate(request: FastifyRequest): Promise<AdminContext> {
    this.providers = await this.rows.enabled();
    const { authorization } = request.headers;
    const user = await this.signIn({ headers: { authorization } }).catch((thrown: unknown) => {
      const error = toPlatformError(thrown);
      this.refusals.note(error.code, request);
      throw error;
    });
    return this.adminOf(user, request);
  }

  private async adminOf({ person, userId }: SignedInUser, request: FastifyRequest): Promise<AdminContext> {
    const { orgId, providerId, roles } = person;
    const provider = this.providers.find(({ id }) => id === providerId);
    const organization = await this.organizations.find(orgId);
    if (organization && provider?.adminRoles.some((role) => roles.includes(role)))
      return { orgId, orgSlug: organization.slug, isOperator: false, actor: { kind: 'user', id: userId } };
    this.refusals.note('forbidden', request, { orgId, userId });
    throw new PlatformError('forbidden', { message: 'The user has no admin’s role.' });
  }
}
