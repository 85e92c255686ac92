import { Inject, Injectable } from '@nestjs/common';
import { type AuthMode, type LeaseContent, PlatformError } from '@switchyard/contracts';
import { UsersRepository } from '../callers/users.repository.js';
import { TOKEN_BROKER_CONFIG, type TokenBrokerConfig } from '../config.js';
import { type CredentialRow, credentialTag, liveState, principalOf } from '../credentials/credential.js';
import { CredentialCipher } from '../credentials/credential-cipher.js';
import { CredentialNewsService } from '../credentials/credential-news.service.js';
import { CredentialsRepository } from '../credentials/credentials.repository.js';
import { SecretsService } from '../vault/secrets.service.js';
import { type LeasedIntegration, serverUrlOf } from '../integrations/integrations.repository.js';
import { needsReauth, noIdentity } from './identity-errors.js';
import type { CheckedAsk, LeaseGrant, LeaseGranter, LeaseRefusal } from './lease-ask.js';
import { isDiscovery, presentUser } from './lease-identity.js';

/**
 * The integration's own headers (or environment of its stdio child), the same for every caller and for discovery. Where
 * each user brings headers too, those of the present user are added, and nobody else's.
 */
@Injectable()
export class GrantStatic implements LeaseGranter {
  readonly authModes: readonly AuthMode[] = ['headers'];

  constructor(
    private readonly secrets: SecretsService,
    private readonly rows: CredentialsRepository,
    private readonly users: UsersRepository,
    private readonly cipher: CredentialCipher,
    private readonly news: CredentialNewsService,
    @Inject(TOKEN_BROKER_CONFIG) private readonly config: Pick<TokenBrokerConfig, 'publicUrl' | 'leaseTtlMs'>,
  ) {}

  async grant(ask: CheckedAsk): Promise<LeaseGrant | LeaseRefusal> {
    const { integration, now } = ask;
    // A global integration's credential is its own organization's, whoever asks.
    const content = await this.secrets.read(integration.orgId, integration.id);
    if (isIncomplete(integration, content))
      return { authPath: 'auth_context_unavailable', error: notStored() };
    if (integration.userHeaderNames.length > 0 && serverUrlOf(integration) !== null)
      return this.#ofUser(ask, content);
    const everybodys = { principal: 'integration', credential: 'static' };
    return { authPath: 'static', content, expiresAt: now + this.config.leaseTtlMs, ...everybodys };
  }

  async #ofUser(ask: CheckedAsk, shared: LeaseContent): Promise<LeaseGrant | LeaseRefusal> {
    const user = presentUser(ask);
    if (user && !(await this.users.isActive(user.orgId, user.userId)))
      return noIdentity('The user is deactivated.');
    if (!user && !isDiscovery(ask))
      return noIdentity('Each user brings headers of their own, and nobody is present.');
    const { integration } = ask;
    const row = user
      ? await this.rows.find(integration.id, user.userId)
      : await this.rows.firstLive(integration.orgId, integration.id);
    const refusal = await this.#refusal(ask, row);
    return refusal ?? this.#grant(ask, row!, shared);
  }

  /** Headers cannot be refreshed: once the server refuses them, their user has to bring others. */
  async #refusal(
    { integration, request }: CheckedAsk,
    row: CredentialRow | null,
  ): Promise<LeaseRefusal | null> {
    const refuse = (message: string) => needsReauth(this.config.publicUrl, integration, message);
    if (!row) return refuse('The user’s own headers are not there yet.');
    const { credential } = row;
    if (request.refused?.credential === credentialTag(credential)) {
      if (await this.rows.setState(credential, 'needs_reauth', 'refused_by_server'))
        await this.news.tell({ ...credential, state: 'needs_reauth' });
      return refuse('The server refuses the user’s own headers.');
    }
    if (credential.serverUrl !== serverUrlOf(integration))
      return refuse('The integration has another address now.');
    return liveState(credential) === 'active' ? null : refuse('The server refuses the user’s own headers.');
  }

  async #grant(
    { integration, now }: CheckedAsk,
    { credential, sealed }: CredentialRow,
    shared: LeaseContent,
  ): Promise<LeaseGrant | LeaseRefusal> {
    const own = (await this.cipher.open(credential, sealed)).headers ?? {};
    const isMissing = integration.userHeaderNames.some((name) => !hasHeader(own, name));
    if (isMissing)
      return needsReauth(
        this.config.publicUrl,
        integration,
        'It needs other headers of the user than before.',
      );
    await this.rows.touch(credential.id);
    return {
      authPath: 'user_token',
      content: { headers: { ...shared.headers, ...own }, env: shared.env },
      expiresAt: now + this.config.leaseTtlMs,
      principal: principalOf(credential),
      credential: credentialTag(credential),
    };
  }
}

/** A call without the credential that the admin configured would only be refused upstream, and less clearly. */
function isIncomplete(integration: LeasedIntegration, content: LeaseContent): boolean {
  return (
    integration.headerNames.some((name) => !hasHeader(content.headers, name)) ||
    integration.envNames.some((name) => !Object.hasOwn(content.env, name))
  );
}

function hasHeader(headers: Readonly<Record<string, string>>, name: string): boolean {
  return Object.keys(headers).some((one) => one.toLowerCase() === name.toLowerCase());
}

function notStored(): PlatformError {
  return new PlatformError('auth_context_unavailable', {
    message: 'The values of its headers are not stored; an admin has to set them again.',
  });
}
