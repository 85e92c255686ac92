import { selectClientAuthMethod } from '@modelcontextprotocol/client';
import type { OAuthSettings, TokenEndpointAuthMethod } from '@switchyard/contracts';
import type { AuthorizationServer } from './authorization-server.js';

/** Who we are to an authorization server. Belongs to one issuer and is never shown to another. */
export type OAuthClient = {
  clientId: string;
  clientSecret: string | null;
  authMethod: TokenEndpointAuthMethod;
};

/** The client that an admin registered with the vendor. `settings.client_id` must be there. Pure. */
export function configuredClient(
  server: AuthorizationServer,
  settings: OAuthSettings,
  clientSecret: string | null,
): OAuthClient {
  const clientId = settings.client_id ?? '';
  return {
    clientId,
    clientSecret,
    authMethod: settings.token_endpoint_auth_method ?? authMethodOf(server, { clientId, clientSecret }),
  };
}

/** The client whose id is the URL of our client ID metadata document. */
export function metadataDocumentClient(url: string): OAuthClient {
  return { clientId: url, clientSecret: null, authMethod: 'none' };
}

/** How a client authenticates at a server: as it was registered, else by the best way that both have. */
export function authMethodOf(
  server: AuthorizationServer,
  client: { clientId: string; clientSecret: string | null; registeredMethod?: string },
): TokenEndpointAuthMethod {
  const information = {
    client_id: client.clientId,
    ...(client.clientSecret !== null && { client_secret: client.clientSecret }),
    ...(client.registeredMethod && { token_endpoint_auth_method: client.registeredMethod }),
  };
  return selectClientAuthMethod(information, server.tokenEndpointAuthMethods) as TokenEndpointAuthMethod;
}
