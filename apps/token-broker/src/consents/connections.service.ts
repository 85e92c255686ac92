import { Injectable } from '@nestjs/common';
import { type OAuthSettings, PlatformError } from '@switchyard/contracts';
import { type AuthorizationServer, chooseScopes, type DiscoveredVendor } from '@switchyard/mcp-client';
import type { UserCaller } from '../callers/caller.js';
import { type Organization, OrganizationsRepository } from '../callers/organizations.repository.js';
import { UsersRepository } from '../callers/users.repository.js';
import type { Credential } from '../credentials/credential.js';
import { CredentialsRepository } from '../credentials/credentials.repository.js';
import {
  IntegrationsRepository,
  isWithinReach,
  type LeasedIntegration,
  serverUrlOf,
} from '../integrations/integrations.repository.js';
import { VendorsService } from '../vendors/vendors.service.js';
import { ConsentProblem } from './consent-problem.js';

/** What somebody is about to connect, as the page says it. */
export type Connection = {
  readonly integration: LeasedIntegration;
  readonly serverUrl: string;
  readonly organization: Organization;
  readonly kind: 'oauth' | 'headers';
  /** Whose credential it will be: the user's own, or the service user's. */
  readonly forUser: { readonly orgId: string; readonly userId: string; readonly name: string | null };
  readonly isService: boolean;
  readonly present: Credential | null;
};

/** What a vendor will be asked for. */
export type Ask = { readonly vendor: DiscoveredVendor; readonly scopes: readonly string[] | null };

/** Looks at an integration as the signed-in user may connect it. */
@Injectable()
export class ConnectionsService {
  constructor(
    private readonly integrations: IntegrationsRepository,
    private readonly organizations: OrganizationsRepository,
    private readonly users: UsersRepository,
    private readonly credentials: CredentialsRepository,
    private readonly vendors: VendorsService,
  ) {}

  /** Throws `ConsentProblem`. */
  async find(integrationId: string, user: UserCaller, as: 'self' | 'service'): Promise<Connection> {
    const integration = await this.integrations.find(integrationId);
    if (!integration?.enabled || !isWithinReach(integration, user)) throw new ConsentProblem('not_found');
    const serverUrl = serverUrlOf(integration);
    const kind = kindOf(integration);
    if (serverUrl === null || kind === null) throw new ConsentProblem('not_connectable', { integrationId });
    const isService = as === 'service';
    const forUser = isService
      ? await this.#serviceUser(integration, user)
      : { orgId: user.orgId, userId: user.userId, name: user.name };
    const organization = await this.organizations.find(user.orgId);
    if (!organization) throw new ConsentProblem('not_found');
    const row = await this.credentials.find(integrationId, forUser.userId);
    return {
      ...{ integration, serverUrl, organization, kind, forUser, isService },
      present: row?.credential ?? null,
    };
  }

  /** Which organization's people sign in to see it; null where that says nothing. */
  async organizationOf(integrationId: string): Promise<string | null> {
    const integration = await this.integrations.find(integrationId);
    if (!integration || integration.scope === 'global') return null;
    return (await this.organizations.find(integration.orgId))?.slug ?? null;
  }

  /** Throws `ConsentProblem`: what a vendor's metadata are worth is told in our own words. */
  async ask({ integration, present }: Connection): Promise<Ask> {
    try {
      const vendor = await this.#vendorOf(integration);
      const stepUp = present && { granted: present.grantedScopes, needed: present.neededScopes };
      const isStep =
        present !== null && present.neededScopes.length > 0 && present.issuer === vendor.server.issuer;
      return {
        vendor,
        scopes: chooseScopes(vendor, integration.oauth ?? {}, isStep ? (stepUp ?? undefined) : undefined),
      };
    } catch (thrown) {
      throw problemOf(thrown, integration.id);
    }
  }

  async #vendorOf(integration: LeasedIntegration): Promise<DiscoveredVendor> {
    const { id: integrationId } = integration;
    const vendor = await this.vendors.discover(integration, null);
    if ('open' in vendor) throw new ConsentProblem('not_connectable', { integrationId });
    if (leavesItsIssuer(vendor.server, integration.oauth ?? {}))
      throw new ConsentProblem('vendor_unusable', { integrationId });
    return vendor;
  }

  /** Off unless set, and an admin of the integration's own organization alone consents for it. */
  async #serviceUser(integration: LeasedIntegration, user: UserCaller) {
    const { serviceUserId, serviceUserActive, authMode, orgId, id: integrationId } = integration;
    const isAllowed = user.isAdmin && orgId === user.orgId && authMode === 'authorization_code';
    if (!isAllowed || serviceUserId === null || !serviceUserActive)
      throw new ConsentProblem('not_allowed', { integrationId });
    return { orgId, userId: serviceUserId, name: await this.users.name(serviceUserId) };
  }
}

/**
 * Whether an admin's endpoints would take users and their codes elsewhere than the issuer that the page names, though that
 * one says itself where they go.
 */
function leavesItsIssuer({ issuer, metadata }: AuthorizationServer, settings: OAuthSettings): boolean {
  return (['authorization_endpoint', 'token_endpoint'] as const).some((name) => {
    const [named, own] = [settings[name], metadata[name]];
    if (named === undefined || own === undefined || named === own) return false;
    return new URL(named).origin !== new URL(issuer).origin;
  });
}

function kindOf({ authMode, userHeaderNames }: LeasedIntegration): Connection['kind'] | null {
  if (authMode === 'authorization_code') return 'oauth';
  return authMode === 'headers' && userHeaderNames.length > 0 ? 'headers' : null;
}

/** Errors of discovery and registration, as reasons. Whatever is none of them is not ours to explain. */
export function problemOf(thrown: unknown, integrationId: string): unknown {
  if (!(thrown instanceof PlatformError)) return thrown;
  const options = { cause: thrown, integrationId };
  switch (thrown.code) {
    case 'authorization_server_unavailable':
    case 'dependency_unavailable':
      return new ConsentProblem('vendor_unavailable', options);
    case 'egress_denied':
      return new ConsentProblem('address_refused', options);
    case 'auth_context_unavailable':
      return new ConsentProblem('client_refused', options);
    default:
      return new ConsentProblem('vendor_unusable', options);
  }
}
