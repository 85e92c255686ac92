import {
  isHttpsUrl,
  registerClient as register,
  RegistrationRejectedError,
  resolveClientMetadata,
  type OAuthClientMetadata,
} from '@modelcontextprotocol/client';
import { PlatformError, type OAuthSettings, type TokenEndpointAuthMethod } from '@switchyard/contracts';
import type { AuthorizationServer } from './authorization-server.js';
import { authMethodOf, type OAuthClient } from './oauth-client.js';
import { vendorRefused } from './vendor-error.js';
import { metadataFetch, type Fetch } from './vendor-fetch.js';

export type RegistrationKind = 'configured' | 'metadata_document' | 'dynamic';

/** How we become a client of the server, in the order of the MCP specification. null: an admin has to register one. */
export function chooseRegistration(
  server: AuthorizationServer,
  settings: OAuthSettings,
  metadataDocumentUrl: string | null,
): RegistrationKind | null {
  if (settings.client_id) return 'configured';
  const hasDocument = metadataDocumentUrl !== null && isHttpsUrl(metadataDocumentUrl);
  if (hasDocument && server.supportsMetadataDocument) return 'metadata_document';
  return server.registrationEndpoint ? 'dynamic' : null;
}

/** A client that the server made for us (RFC 7591). */
export type RegisteredClient = OAuthClient & {
  /** Epoch ms; null: never. */
  secretExpiresAt: number | null;
};

export type RegisterClientInput = {
  server: AuthorizationServer;
  fetch: Fetch;
  redirectUri: string;
  clientName: string;
  clientUri: string | null;
  scope: string | null;
};

/**
 * Registers a client (RFC 7591). Throws `authorization_server_unavailable` when the server did not answer, and
 * `upstream_protocol_error` with `details.reason` when it refused.
 */
export async function registerClient(input: RegisterClientInput): Promise<RegisteredClient> {
  const { server, scope } = input;
  if (!server.registrationEndpoint) throw vendorRefused('registration_unsupported');
  const metadata = { ...server.metadata, registration_endpoint: server.registrationEndpoint };
  try {
    const registered = await register(server.issuer, {
      metadata: metadata as never,
      clientMetadata: clientMetadata(input),
      ...(scope !== null && { scope }),
      fetchFn: metadataFetch(input.fetch).fetch,
    });
    const clientId = registered.client_id;
    const clientSecret = registered.client_secret || null;
    const registeredMethod = registered.token_endpoint_auth_method;
    return {
      clientId,
      clientSecret,
      authMethod: authMethodOf(server, { clientId, clientSecret, registeredMethod }),
      // 0: it does not expire.
      secretExpiresAt: registered.client_secret_expires_at
        ? registered.client_secret_expires_at * 1000
        : null,
    };
  } catch (thrown) {
    throw registrationError(thrown);
  }
}

/** A vendor that is down is not one that refuses. The vendor's own words stay in the cause. */
function registrationError(thrown: unknown): PlatformError {
  if (thrown instanceof PlatformError) return thrown;
  return vendorRefused(
    thrown instanceof RegistrationRejectedError ? 'registration_refused' : 'metadata_invalid',
    thrown,
  );
}

function clientMetadata({
  server,
  redirectUri,
  clientName,
  clientUri,
}: RegisterClientInput): OAuthClientMetadata {
  const metadata: OAuthClientMetadata = {
    client_name: clientName,
    ...(clientUri !== null && { client_uri: clientUri }),
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: methodToAskFor(server.tokenEndpointAuthMethods),
  };
  // The SDK knows which `application_type` goes with which redirect URI.
  return resolveClientMetadata({ clientMetadata: metadata, redirectUrl: redirectUri } as never);
}

/** We can keep a secret, so we ask for one where we may. */
function methodToAskFor(supported: readonly string[]): TokenEndpointAuthMethod {
  const methods = ['client_secret_basic', 'client_secret_post', 'none'] as const;
  const method = methods.find((one) => supported.includes(one));
  if (!method) throw vendorRefused('auth_method_unsupported');
  return method;
}
