import {
  allowInsecureRequests,
  type AuthorizationServer as Metadata,
  type ClientAuth,
  ClientSecretPost,
  customFetch,
  genericTokenEndpointRequest,
  None,
} from 'oauth4webapi';
import type { AuthorizationServer } from './authorization-server.js';
import type { OAuthClient } from './oauth-client.js';
import { readTokenResponse, unavailable } from './read-token-response.js';
import type { TokenOutcome } from './tokens.js';
import { unreachableReason, vendorFetch, type Fetch } from './vendor-fetch.js';

/** What every request to a token endpoint has. */
export type TokenRequest = {
  server: AuthorizationServer;
  client: OAuthClient;
  fetch: Fetch;
  /** RFC 8707. null: it is not sent, for servers that do not know it. */
  resource: string | null;
  /** For tests: the clock, by which `expiresAt` is told. */
  now?: () => number;
};

export type TokenParameters = Record<string, string | null | undefined>;

/**
 * Sends one token request and judges the answer. oauth4webapi sends it, for the SDK knows two grants only; the answer is
 * read here, because both libraries throw for a broken proxy what they throw for a dead credential. Never throws.
 */
export async function requestTokens(
  request: TokenRequest,
  grantType: string,
  parameters: TokenParameters,
): Promise<TokenOutcome> {
  const { server, client, resource, now = Date.now } = request;
  const given = Object.entries({ ...parameters, resource }).filter(([, value]) => value);
  try {
    const response = await genericTokenEndpointRequest(
      metadataOf(server),
      { client_id: client.clientId },
      clientAuth(client),
      grantType,
      given as [string, string][],
      requestOptions(request.fetch),
    );
    const secrets = [client.clientSecret, ...Object.values(parameters).map((value) => value ?? null)];
    return await readTokenResponse(response, { secrets: secrets.filter(isSecretLike) }, now());
  } catch (thrown) {
    return unavailable(unreachableReason(thrown));
  }
}

export function metadataOf(server: AuthorizationServer): Metadata {
  return {
    issuer: server.issuer,
    token_endpoint: server.tokenEndpoint,
    ...(server.revocationEndpoint && { revocation_endpoint: server.revocationEndpoint }),
  };
}

/** Plain http is judged by `endpointUrl` and by the egress policy behind `fetch`, which know where it is allowed. */
export function requestOptions(fetch: Fetch) {
  return { [customFetch]: vendorFetch(fetch) as never, [allowInsecureRequests]: true as const };
}

/** How the client authenticates. A client without secret is public, whatever it was registered for. */
export function clientAuth({ clientSecret, authMethod }: OAuthClient): ClientAuth {
  if (clientSecret === null || authMethod === 'none') return None();
  return authMethod === 'client_secret_post' ? ClientSecretPost(clientSecret) : basic(clientSecret);
}

/**
 * RFC 6749, section 2.3.1. Unlike oauth4webapi's own, it leaves `-`, `.`, `_` and `~` as they are, which is the same to
 * servers that decode, and right for the many that do not.
 */
function basic(clientSecret: string): ClientAuth {
  return (_server, client, _body, headers) => {
    const pair = [client.client_id, clientSecret].map((part) =>
      encodeURIComponent(part).replaceAll('%20', '+'),
    );
    headers.set('authorization', `Basic ${Buffer.from(pair.join(':')).toString('base64')}`);
  };
}

/** Scopes and types may be named in a description; they are short. */
function isSecretLike(value: string | null): boolean {
  return value !== null && value.length >= 8 && !value.startsWith('urn:');
}
