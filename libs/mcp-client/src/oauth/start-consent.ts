import { startAuthorization } from '@modelcontextprotocol/client';
import type { AuthorizationServer } from './authorization-server.js';
import { endpointUrl } from './endpoint-url.js';
import type { OAuthClient } from './oauth-client.js';
import { vendorRefused } from './vendor-error.js';

export type StartConsentInput = {
  server: AuthorizationServer;
  client: Pick<OAuthClient, 'clientId'>;
  redirectUri: string;
  state: string;
  /** null: the server decides. */
  scopes: readonly string[] | null;
  resource: string;
};

/**
 * The URL to which the user's browser is sent for consent, and the verifier that redeems its code: PKCE with S256 and
 * nothing else. Throws `upstream_protocol_error` for a URL that no browser should be sent to, and for servers that do not
 * say that they support S256, as the MCP specification demands.
 */
export async function startConsent(input: StartConsentInput): Promise<{ url: string; codeVerifier: string }> {
  const { server, scopes } = input;
  const responseTypes = server.metadata['response_types_supported'] ?? ['code'];
  if (!Array.isArray(responseTypes) || !responseTypes.includes('code'))
    throw vendorRefused('response_type_unsupported');
  if (!server.codeChallengeMethodsSupported?.includes('S256')) throw vendorRefused('pkce_unsupported');
  const { authorizationUrl, codeVerifier } = await startAuthorization(server.issuer, {
    metadata: {
      issuer: server.issuer,
      authorization_endpoint: endpointUrl(server.authorizationEndpoint, server.issuer),
      token_endpoint: server.tokenEndpoint,
      response_types_supported: responseTypes,
      code_challenge_methods_supported: server.codeChallengeMethodsSupported,
    } as never,
    clientInformation: { client_id: input.client.clientId },
    redirectUrl: input.redirectUri,
    state: input.state,
    resource: input.resource as never,
    ...(scopes && scopes.length > 0 && { scope: scopes.join(' ') }),
  });
  return { url: authorizationUrl.href, codeVerifier };
}
