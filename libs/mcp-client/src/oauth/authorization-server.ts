import type { OAuthSettings } from '@switchyard/contracts';
import { endpointUrl, optionalEndpointUrl } from './endpoint-url.js';

/** What is known of a vendor's authorization server: its metadata, under what the admin said of it. */
export type AuthorizationServer = {
  issuer: string;
  authorizationEndpoint: string;
  tokenEndpoint: string;
  revocationEndpoint: string | null;
  registrationEndpoint: string | null;
  /** null: it does not say. The same for the next two. */
  scopesSupported: string[] | null;
  grantTypesSupported: string[] | null;
  codeChallengeMethodsSupported: string[] | null;
  tokenEndpointAuthMethods: string[];
  /** Takes the URL of a client ID metadata document as client id. */
  supportsMetadataDocument: boolean;
  /** Says that its responses name the issuer (RFC 9207): one that does not is then refused. */
  requiresIssuerParameter: boolean;
  /** The metadata as they came. */
  metadata: Record<string, unknown>;
};

/**
 * The server that metadata describe, with the endpoints that the admin set in their place. Pure. Throws when an endpoint
 * is not a URL that we would use.
 */
export function authorizationServerOf(
  metadata: Record<string, unknown> & { issuer: string },
  settings: OAuthSettings,
): AuthorizationServer {
  const { issuer } = metadata;
  const of = (name: keyof OAuthSettings & string): unknown => settings[name] ?? metadata[name];
  // An admin who sets both endpoints vouches for a server that says nothing of itself.
  const isVouchedFor = Boolean(settings.authorization_endpoint && settings.token_endpoint);
  return {
    issuer,
    authorizationEndpoint: endpointUrl(of('authorization_endpoint'), issuer),
    tokenEndpoint: endpointUrl(of('token_endpoint'), issuer),
    revocationEndpoint: revocationEndpointOf(metadata, settings),
    registrationEndpoint: optionalEndpointUrl(metadata['registration_endpoint'], issuer),
    scopesSupported: strings(metadata['scopes_supported']),
    grantTypesSupported: strings(metadata['grant_types_supported']),
    codeChallengeMethodsSupported:
      strings(metadata['code_challenge_methods_supported']) ?? (isVouchedFor ? ['S256'] : null),
    // RFC 8414, section 2: what a server supports that does not say it.
    tokenEndpointAuthMethods: strings(metadata['token_endpoint_auth_methods_supported']) ?? [
      'client_secret_basic',
    ],
    supportsMetadataDocument: metadata['client_id_metadata_document_supported'] === true,
    requiresIssuerParameter: metadata['authorization_response_iss_parameter_supported'] === true,
    metadata,
  };
}

/** Live tokens of users go there: an admin may name another address of the issuer itself, and no other's. */
function revocationEndpointOf(
  metadata: Record<string, unknown> & { issuer: string },
  { revocation_endpoint: named }: OAuthSettings,
): string | null {
  const { issuer } = metadata;
  const own = optionalEndpointUrl(metadata['revocation_endpoint'], issuer);
  const url = optionalEndpointUrl(named, issuer);
  if (url === null || url === own) return own;
  return new URL(url).origin === new URL(issuer).origin ? url : null;
}

function strings(value: unknown): string[] | null {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : null;
}
