import { Inject, Injectable } from '@nestjs/common';
import type { AuthMode } from '@switchyard/contracts';
import { UsersRepository } from '../callers/users.repository.js';
import { TOKEN_BROKER_CONFIG, type TokenBrokerConfig } from '../config.js';
import type { CredentialRow } from '../credentials/credential.js';
import { CredentialsRepository } from '../credentials/credentials.repository.js';
import { needsReauth, noIdentity, reauthDetails } from './identity-errors.js';
import type { CheckedAsk, LeaseGrant, LeaseGranter, LeaseRefusal } from './lease-ask.js';
import { isDiscovery, presentUser } from './lease-identity.js';
import { StoredTokensService } from './stored-tokens.service.js';

/**
 * A present user's own token and never another's; where nobody is present the designated service user's; for discovery the
 * service user's too, else the first live consent of the organization.
 */
@Injectable()
export class GrantAuthorizationCode implements LeaseGranter {
  readonly authModes: readonly AuthMode[] = ['authorization_code'];

  constructor(
    private readonly rows: CredentialsRepository,
    private readonly users: UsersRepository,
    private readonly tokens: StoredTokensService,
    @Inject(TOKEN_BROKER_CONFIG) private readonly config: Pick<TokenBrokerConfig, 'publicUrl'>,
  ) {}

  async grant(ask: CheckedAsk): Promise<LeaseGrant | LeaseRefusal> {
    const user = presentUser(ask);
    if (user) return this.#own(ask, user);
    const service = await this.#serviceUser(ask);
    if (service) return this.tokens.lease(ask, { row: service, authPath: 'service_user', isAttended: false });
    return isDiscovery(ask) ? this.#firstConsent(ask) : this.#nobody(ask);
  }

  async #own(ask: CheckedAsk, user: { orgId: string; userId: string }): Promise<LeaseGrant | LeaseRefusal> {
    if (!(await this.users.isActive(user.orgId, user.userId))) return noIdentity('The user is deactivated.');
    const row = await this.rows.find(ask.integration.id, user.userId);
    if (row?.credential.orgId !== user.orgId)
      return needsReauth(this.config.publicUrl, ask.integration, 'The user has not connected it yet.');
    return this.tokens.lease(ask, { row, authPath: 'user_token', isAttended: true });
  }

  /** A global integration is everybody's; its service user is a person of one organization, who calls for that one alone. */
  async #serviceUser({ integration, request }: CheckedAsk): Promise<CredentialRow | null> {
    const { id, orgId, serviceUserId, serviceUserActive } = integration;
    if (serviceUserId === null || !serviceUserActive || request.orgId !== orgId) return null;
    const row = await this.rows.find(id, serviceUserId);
    return row?.credential.orgId === orgId ? row : null;
  }

  async #firstConsent(ask: CheckedAsk): Promise<LeaseGrant | LeaseRefusal> {
    const row = await this.rows.firstLive(ask.integration.orgId, ask.integration.id);
    if (!row) return needsReauth(this.config.publicUrl, ask.integration, 'Nobody has connected it yet.');
    return this.tokens.lease(ask, { row, authPath: 'user_token', isAttended: false });
  }

  #nobody({ integration }: CheckedAsk): LeaseRefusal {
    const { serviceUserId, serviceUserActive } = integration;
    const details = reauthDetails(this.config.publicUrl, integration);
    if (serviceUserId === null)
      return noIdentity('Nobody is present, and it has no service identity.', details);
    return noIdentity(
      serviceUserActive
        ? 'Its service identity is not connected.'
        : 'The user of its service identity is deactivated.',
      details,
    );
  }
}
