import type { OAuthSettings } from '@switchyard/contracts';
import {
  type AuthorizationServer,
  refreshTokens,
  requestClientCredentials,
  type TokenOutcome,
} from '@switchyard/mcp-client';
import type { CredentialRow } from '../credentials/credential.js';
import type { KnownClient } from '../vendors/oauth-clients.service.js';

/** Everything that a token request needs, gathered before the row is locked. */
export type TokenSource = {
  readonly server: AuthorizationServer;
  readonly client: KnownClient;
  readonly resource: string | null;
  readonly settings: OAuthSettings;
  readonly fetch: typeof fetch;
  readonly scopes: readonly string[] | null;
};

/** A user's tokens are refreshed; the integration's own is asked for anew. */
export async function requestFreshTokens(
  source: TokenSource,
  { credential }: CredentialRow,
  refreshToken: string | null,
): Promise<TokenOutcome> {
  const { server, client, resource, settings, fetch, scopes } = source;
  const request = { server, client, resource, fetch };
  if (credential.userId === null)
    return requestClientCredentials({ ...request, scopes, audience: settings.audience });
  if (refreshToken === null)
    return { status: 'refused', error: 'invalid_grant', description: 'there is no refresh token' };
  return refreshTokens({ ...request, refreshToken });
}
