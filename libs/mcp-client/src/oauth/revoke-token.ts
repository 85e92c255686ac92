import { revocationRequest } from 'oauth4webapi';
import type { AuthorizationServer } from './authorization-server.js';
import type { OAuthClient } from './oauth-client.js';
import { parsed, refusalOf, unavailable } from './read-token-response.js';
import { clientAuth, metadataOf, requestOptions } from './token-request.js';
import type { RevocationOutcome } from './tokens.js';
import { unreachableReason, type Fetch } from './vendor-fetch.js';

/** Takes a token back at the vendor (RFC 7009); of a refresh token the whole grant goes. Never throws. */
export async function revokeToken(input: {
  server: AuthorizationServer;
  client: OAuthClient;
  fetch: Fetch;
  token: string;
  tokenType: 'access_token' | 'refresh_token';
}): Promise<RevocationOutcome> {
  const { server, client, token } = input;
  if (!server.revocationEndpoint)
    return { status: 'refused', error: 'other', description: 'the server has no revocation endpoint' };
  try {
    const response = await revocationRequest(
      metadataOf(server),
      { client_id: client.clientId },
      clientAuth(client),
      token,
      { ...requestOptions(input.fetch), additionalParameters: { token_type_hint: input.tokenType } },
    );
    const sent = { secrets: [token, client.clientSecret] };
    return refusalOf(response, parsed(await response.text()), sent, Date.now()) ?? { status: 'ok' };
  } catch (thrown) {
    return unavailable(unreachableReason(thrown));
  }
}
