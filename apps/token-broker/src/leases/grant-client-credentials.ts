import { Injectable } from '@nestjs/common';
import { type AuthMode, PlatformError } from '@switchyard/contracts';
import { CredentialsRepository } from '../credentials/credentials.repository.js';
import { serverUrlOf } from '../integrations/integrations.repository.js';
import type { CheckedAsk, LeaseGrant, LeaseGranter, LeaseRefusal } from './lease-ask.js';
import { StoredTokensService } from './stored-tokens.service.js';

/** The integration's own token, whoever asks. A global integration's is its own organization's. */
@Injectable()
export class GrantClientCredentials implements LeaseGranter {
  readonly authModes: readonly AuthMode[] = ['client_credentials'];

  constructor(
    private readonly rows: CredentialsRepository,
    private readonly tokens: StoredTokensService,
  ) {}

  async grant(ask: CheckedAsk): Promise<LeaseGrant | LeaseRefusal> {
    const { id: integrationId, orgId } = ask.integration;
    const url = serverUrlOf(ask.integration);
    if (url === null)
      return { authPath: 'auth_context_unavailable', error: new PlatformError('auth_mode_unavailable') };
    const known = await this.rows.find(integrationId, null);
    if (!known) await this.rows.ensureOwn({ orgId, integrationId, userId: null }, url);
    const row = known ?? (await this.rows.find(integrationId, null));
    if (!row) throw new Error('The row of an integration’s own token is gone.');
    return this.tokens.lease(ask, { row, authPath: 'service_token', isAttended: false });
  }
}
